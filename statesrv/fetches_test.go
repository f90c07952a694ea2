package statesrv

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/streams"
)

// After a lost connection the digest is wrong, too. That says nothing of the archive, so the upgrade that
// waits for it must not be halted.
func TestOnlyWrongBytesAreHopeless(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"other bytes":               {fmt.Errorf("store: %w", bus.ErrDigest), true},
		"no archive of jujud":       {fmt.Errorf("store: %w", archive.ErrArchive), true},
		"a version is stored":       {decide.ErrOtherBytes, true},
		"longer than sourceListing": {fmt.Errorf("%w: %w: %w", bus.ErrDigest, streams.ErrSource, streams.ErrLength), true},
		"a lost connection":         {fmt.Errorf("%w: it ends before: %w: %w", bus.ErrDigest, streams.ErrSource, io.ErrUnexpectedEOF), false},
		"no way to the source":      {fmt.Errorf("%w: connection refused", streams.ErrSource), false},
		"a full disk":               {errors.New("no space left"), false},
	} {
		if got := hopeless(c.err); got != c.want {
			t.Errorf("%s: hopeless is %v", name, got)
		}
	}
}
