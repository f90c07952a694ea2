package statesrv

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
)

// An archive that is in the catalogue under another version than its jujud was built as has the digest
// that was signed. Who asks for its hash learns what it is all the same.
func TestHashingTellsOfAnotherVersion(t *testing.T) {
	jujud := "a program, " + version.Stamp("1.25.1")
	var packed bytes.Buffer
	if err := archive.Pack(&packed, archive.File{Name: archive.Jujud, Size: int64(len(jujud)), Body: strings.NewReader(jujud)}); err != nil {
		t.Fatal(err)
	}
	for text, fault := range map[string]string{"1.25.1": "", "1.25.2": "jujud: it was built as 1.25.1, the archive's name says 1.25.2"} {
		v, err := version.ParseBinary(text + "-trusty-amd64")
		if err != nil {
			t.Fatal(err)
		}
		got, err := hashed([]tools.Tools{{Version: v, Size: int64(packed.Len())}}, func(w io.Writer) (int64, error) {
			return io.Copy(w, bytes.NewReader(packed.Bytes()))
		})
		if err != nil || got.Size != int64(packed.Len()) || !strings.HasSuffix(got.Fault, fault) || (got.Fault == "") != (fault == "") {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}
