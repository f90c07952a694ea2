package install

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path/filepath"
	"slices"
)

// copies is how many files hold the same content. Each file is complete and durable by itself.
// A bad sector under one of them leaves the other. A power cut between the two writes leaves
// one that is newer, and its generation says so. Source: SECURITY.md §6.1.
const copies = 2

// ErrNoCopy: at least one copy exists, and none of them can be used.
var ErrNoCopy = errors.New("no usable copy")

// copied is what one file holds.
type copied struct {
	Generation uint64 `json:"generation"` // grows with each write: the copy with the larger one is newer
	CRC        uint32 `json:"crc32"`      // of Content
	Content    []byte `json:"content"`
}

func (l Layout) copyFile(name string, i int) string {
	return filepath.Join(l.Agent(), fmt.Sprintf("%s.%d", name, i+1))
}

// WriteCopies writes both copies of a content, one after the other, as the next generation. The
// second is written only once the first is durable, so there is always one that is complete.
func (l Layout) WriteCopies(name string, content []byte) error {
	next := copied{Generation: 1, CRC: crc32.ChecksumIEEE(content), Content: content}
	for i := range copies {
		if c, err := l.readCopy(name, i); err == nil {
			next.Generation = max(next.Generation, c.Generation+1)
		}
	}
	b, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	for i := range copies {
		if err := writeFile(l.disk(), l.copyFile(name, i), append(b, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// ReadCopies gives the newest content whose checksum matches and that valid accepts. It returns
// fs.ErrNotExist when nothing was ever written. It returns ErrNoCopy, with the reason for each
// copy, when copies exist and none of them can be used.
func (l Layout) ReadCopies(name string, valid func([]byte) error) ([]byte, error) {
	var found []copied
	var why []error
	missing := 0
	for i := range copies {
		switch c, err := l.readCopy(name, i); {
		case errors.Is(err, fs.ErrNotExist):
			missing++
		case err != nil:
			why = append(why, err)
		default:
			found = append(found, c)
		}
	}
	if missing == copies {
		return nil, fmt.Errorf("read %s: %w", name, fs.ErrNotExist)
	}
	slices.SortStableFunc(found, func(a, b copied) int { return cmp.Compare(b.Generation, a.Generation) })
	for _, c := range found {
		err := valid(c.Content)
		if err == nil {
			return c.Content, nil
		}
		why = append(why, err)
	}
	return nil, fmt.Errorf("read %s: %w: %w", name, ErrNoCopy, errors.Join(why...))
}

func (l Layout) readCopy(name string, i int) (copied, error) {
	path := l.copyFile(name, i)
	b, err := readFile(l.disk(), path)
	if err != nil {
		return copied{}, err
	}
	var c copied
	if err := json.Unmarshal(b, &c); err != nil {
		return copied{}, fmt.Errorf("%s: %w", path, err)
	}
	if c.CRC != crc32.ChecksumIEEE(c.Content) {
		return copied{}, fmt.Errorf("%s: its checksum does not match", path)
	}
	return c, nil
}
