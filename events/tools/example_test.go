package tools_test

import (
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// An archive is stored under its digest, and signed under the name of its file.
func ExampleTools_FileName() {
	t := tools.Tools{
		Version: version.Binary{Number: version.Number{Major: 1, Minor: 25, Patch: 1}, Series: "trusty", Arch: "amd64"},
		Size:    9, SHA256: strings.Repeat("ab", 32),
	}
	fmt.Println(t.FileName(), tools.IsDigest(t.SHA256))
	// Output: juju-1.25.1-trusty-amd64.tgz true
}
