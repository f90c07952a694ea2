package streams

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
)

// SeenFile is a Seen that is kept in a file. It may be used concurrently within one
// process; it holds nothing open.
type SeenFile struct {
	Path string
	mu   sync.Mutex
}

// Trusted reads what was kept and verifies it again, so that bytes which the disk changed are
// refused.
func (s *SeenFile) Trusted(place, anchor string) (tuf.Trusted, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.read()
	b, ok := all[place+" "+anchor]
	if err != nil || !ok {
		return tuf.Trusted{}, err
	}
	t, err := tuf.ParseTrusted(b)
	if err != nil {
		return t, fmt.Errorf("what was seen there, in %s, is damaged; remove the file to begin at the pinned root again: %w", s.Path, err)
	}
	return t, nil
}

// Keep writes what was accepted into the file, unless the file says the same already.
func (s *SeenFile) Keep(place, anchor string, t tuf.Trusted) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.read()
	if err != nil {
		return err
	}
	key, b := place+" "+anchor, t.Marshal()
	if bytes.Equal(all[key], b) {
		return nil
	}
	all[key] = b
	if b, err = json.MarshalIndent(all, "", "  "); err != nil {
		return err
	}
	return writeFile(s.Path, 0o600, bytes.NewReader(append(b, '\n')))
}

func (s *SeenFile) read() (map[string][]byte, error) {
	all := map[string][]byte{}
	b, err := host.ReadPinned(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("read what was seen of sources, %s: %w", s.Path, err)
	}
	return all, nil
}
