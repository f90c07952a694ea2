package streams

import (
	"bufio"
	"io"

	"github.com/jujube-project/jujube/events/version"
)

// Inspection checks an archive while its bytes are written to it. It keeps none of them: its
// memory is one buffer and the window of the decompressor.
type Inspection struct {
	in   *io.PipeWriter
	done chan error
}

// inspectBytes is how many bytes Write may be ahead of the check.
const inspectBytes = 256 << 10

// Inspect begins to check an archive of version v, whose signed size is size. The archive must
// unpack, within the limits, to a jujud and at most a FORCE-VERSION file that names v. Close
// must be called: it ends the goroutine that unpacks.
func Inspect(v version.Binary, size int64) *Inspection {
	out, in := io.Pipe()
	i := &Inspection{in: in, done: make(chan error, 1)}
	go func() {
		r := bufio.NewReaderSize(out, inspectBytes)
		err := unpacks(r, size, v)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		_ = out.CloseWithError(err)
		i.done <- err
		close(i.done)
	}()
	return i
}

// Write takes the next bytes of the archive. It returns what is wrong with the archive as soon
// as that is known.
func (i *Inspection) Write(p []byte) (int, error) { return i.in.Write(p) }

// Close ends the archive and returns what is wrong with it. A second Close returns nil.
func (i *Inspection) Close() error {
	_ = i.in.Close()
	return <-i.done
}
