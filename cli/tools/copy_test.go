package tools

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/streams"
)

// endless is a source whose archives go on behind their end.
type endless struct{ streams.Source }

func (endless) Fetch(_ context.Context, f streams.Found, offset int64) (io.ReadCloser, error) {
	body := bytes.NewReader(make([]byte, f.Size-offset))
	return io.NopCloser(io.MultiReader(body, iotest.ErrReader(streams.ErrLength))), nil
}

// What has another length than is listed is not kept as the beginning of the right archive.
func TestNothingIsKeptOfAnArchiveThatDoesNotEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.part")
	f := streams.Found{Tools: tools.Tools{Size: 1000}}
	if err := download(t.Context(), endless{}, f, path, func(int64) {}); !errors.Is(err, errBadArchive) {
		t.Fatalf("it is downloaded with %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Fatalf("%v bytes are kept, %v", info.Size(), err)
	}
}
