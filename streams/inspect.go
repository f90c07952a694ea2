package streams

import (
	"bufio"
	"io"

	"github.com/jujube-project/jujube/events/version"
)

// Inspection judges an archive while its bytes pass by. It keeps none of them: what it
// needs at a time is a buffer and the window of the decompressor.
type Inspection struct {
	in   *io.PipeWriter
	done chan error
}

// inspectBytes is how far the bytes may be ahead of the judgement.
const inspectBytes = 256 << 10

// Inspect begins to judge an archive of version v that is signed for with that size: whether it unpacks, within limits, to
// nothing but a jujud and a FORCE-VERSION that agrees. Close must be called.
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

// Write shows the next bytes. It returns what is wrong with the archive as soon as that
// is known.
func (i *Inspection) Write(p []byte) (int, error) { return i.in.Write(p) }

// Close says that no more bytes come and returns the judgement, the first time.
func (i *Inspection) Close() error {
	_ = i.in.Close()
	return <-i.done
}
