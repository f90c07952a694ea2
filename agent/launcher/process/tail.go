package process

import (
	"bytes"
	"os"
	"sync"
)

// tail keeps the last lines of an agent's output.
type tail struct {
	mu sync.Mutex
	b  []byte
}

// tailBytes and tailLines bound what is kept of an agent's output.
const (
	tailBytes = 8000
	tailLines = 50
)

// follow passes an agent's output on to this process's stderr and keeps its end. It ignores
// errors of stderr: when nobody reads that, the agent must not be held up.
func (t *tail) follow(from *os.File) {
	defer func() { _ = from.Close() }()
	buf := make([]byte, 8<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		_, _ = os.Stderr.Write(buf[:n])
		t.mu.Lock()
		if t.b = append(t.b, buf[:n]...); len(t.b) > tailBytes {
			t.b = append([]byte(nil), t.b[len(t.b)-tailBytes:]...)
		}
		t.mu.Unlock()
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := bytes.Split(bytes.TrimRight(t.b, "\n"), []byte{'\n'})
	return string(bytes.Join(lines[max(0, len(lines)-tailLines):], []byte{'\n'}))
}
