package streams

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// SeenFile is a Seen that is kept in a file. It may be used concurrently within one
// process; it holds nothing open.
type SeenFile struct {
	Path string
	mu   sync.Mutex
}

// Newest refuses what is older than what the file remembers, and writes down what is newer.
func (s *SeenFile) Newest(source, signer, path string, counter uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := map[string]uint64{}
	b, err := os.ReadFile(s.Path)
	if err == nil {
		err = json.Unmarshal(b, &seen)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read what was seen of sources: %w", err)
	}
	key := source + " " + signer + " " + path
	switch old := seen[key]; {
	case counter < old:
		return fmt.Errorf("%s: %w: it is of signing %d, and signing %d was there before; if the publisher went back on purpose, remove that line from %s", path, ErrRolledBack, counter, old, s.Path)
	case counter == old:
		return nil
	}
	seen[key] = counter
	if b, err = json.MarshalIndent(seen, "", "  "); err != nil {
		return err
	}
	return writeFile(s.Path, 0o600, bytes.NewReader(append(b, '\n')))
}
