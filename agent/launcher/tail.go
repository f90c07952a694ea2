package launcher

import (
	"bytes"
	"sync"
)

// tail keeps the last lines written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

// tailBytes and tailLines bound what is kept of an agent's output.
const (
	tailBytes = 8000
	tailLines = 50
)

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if len(t.b) > 2*tailBytes {
		t.b = append([]byte(nil), t.b[len(t.b)-tailBytes:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(t.b[max(0, len(t.b)-tailBytes):], []byte{'\n'})
	return string(bytes.Join(lines[max(0, len(lines)-tailLines):], []byte{'\n'}))
}
