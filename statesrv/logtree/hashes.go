package logtree

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/jujube-project/jujube/events/tree"
)

// hashes are those of the tree over the log, in the order of tlog.StoredHashIndex: 64 bytes
// a record, in a file beside the stream and not in it. What was added since the last flush
// is in memory only; it can be made again from the log. One goroutine adds and flushes; any
// may read.
type hashes struct {
	file *os.File // nil: memory only

	mu     sync.RWMutex
	stored int64 // hashes in the file
	fresh  []tree.Hash
}

// openHashes opens the file, and makes it if there is none.
func openHashes(path string) (*hashes, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open the hashes of the log: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the hashes of the log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open the hashes of the log: %w", errors.Join(err, f.Close()))
	}
	return &hashes{file: f, stored: info.Size() / tlog.HashSize}, nil
}

// count is how many hashes there are.
func (h *hashes) count() int64 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.stored + int64(len(h.fresh))
}

// cut forgets everything behind the first records of the log. There must be that many.
func (h *hashes) cut(records uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fresh, h.stored = nil, tlog.StoredHashCount(int64(records))
	if err := h.file.Truncate(h.stored * tlog.HashSize); err != nil {
		return fmt.Errorf("cut the hashes of the log: %w", err)
	}
	return nil
}

func (h *hashes) add(more []tree.Hash) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fresh = append(h.fresh, more...)
}

// flush puts on disk what is in memory, and waits until it is there.
func (h *hashes) flush() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil || len(h.fresh) == 0 {
		return nil
	}
	b := make([]byte, 0, len(h.fresh)*tlog.HashSize)
	for _, hash := range h.fresh {
		b = append(b, hash[:]...)
	}
	_, err := h.file.WriteAt(b, h.stored*tlog.HashSize)
	if err = errors.Join(err, h.file.Sync()); err != nil {
		return fmt.Errorf("keep the hashes of the log: %w", err)
	}
	h.stored += int64(len(h.fresh))
	h.fresh = h.fresh[:0]
	return nil
}

// ReadHashes implements tlog.HashReader.
func (h *hashes) ReadHashes(indexes []int64) ([]tree.Hash, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	out := make([]tree.Hash, len(indexes))
	for i, n := range indexes {
		switch {
		case n < h.stored:
			if _, err := h.file.ReadAt(out[i][:], n*tlog.HashSize); err != nil {
				return nil, fmt.Errorf("read the hashes of the log: %w", err)
			}
		case n < h.stored+int64(len(h.fresh)):
			out[i] = h.fresh[n-h.stored]
		default:
			return nil, fmt.Errorf("read the hashes of the log: %w: there is no hash %d", io.ErrUnexpectedEOF, n)
		}
	}
	return out, nil
}

func (h *hashes) close() error {
	if h.file == nil {
		return nil
	}
	return h.file.Close()
}
