package streams_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/streams"
)

// A publisher gives an archive a wrong number: that is said when the tree is made, and not only by the
// machines. FORCE-VERSION renames a build; a build without a stamp cannot be told.
func TestABuildUnderAWrongNumberIsRefused(t *testing.T) {
	for _, c := range []struct{ jujud, force, fault string }{
		{jujud: version.Stamp("1.25.2")},
		{jujud: version.Stamp("1.25.1"), fault: "jujud: it was built as 1.25.1, the archive's name says 1.25.2"},
		{jujud: version.Stamp("1.25.1"), force: "1.25.2"},
		{jujud: "a build of before"},
	} {
		files := []archive.File{{Name: archive.Jujud, Size: int64(len(c.jujud)), Body: strings.NewReader(c.jujud)}}
		if c.force != "" {
			files = append(files, archive.File{Name: archive.ForceVersion, Size: int64(len(c.force)), Body: strings.NewReader(c.force)})
		}
		var packed bytes.Buffer
		if err := archive.Pack(&packed, files...); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "juju-1.25.2-trusty-amd64.tgz")
		if err := os.WriteFile(name, packed.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := streams.Describe(name)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
