package streams_test

import (
	"errors"
	"testing"

	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/tools/archive/hostile"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/streams"
)

// What is imported is judged while it passes by, before any of it is visible: by sync-tools
// and by the state server alike.
func TestBI92HostileArchivesAreNotImported(t *testing.T) {
	v, err := version.ParseBinary("1.25.1-trusty-amd64")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range hostile.Archives(t, "jujud") {
		t.Run("BI-92 "+name, func(t *testing.T) {
			i := streams.Inspect(v, int64(len(data)))
			_, werr := i.Write(data)
			if err := i.Close(); !errors.Is(err, archive.ErrArchive) {
				t.Errorf("BI-92: %v and %v, want ErrArchive", werr, err)
			}
		})
	}
}
