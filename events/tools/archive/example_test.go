package archive_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/events/tools/archive"
)

// Who reads an archive gives its size as it was signed: how much it may unpack to follows
// from that.
func ExampleWalk() {
	var b bytes.Buffer
	err := archive.Pack(&b,
		archive.File{Name: archive.Jujud, Size: 7, Body: strings.NewReader("program")},
		archive.File{Name: archive.ForceVersion, Size: 6, Body: strings.NewReader("1.25.1")})
	if err != nil {
		panic(err)
	}
	for file, err := range archive.Walk(&b, archive.Within(int64(b.Len()))) {
		if err != nil {
			panic(err)
		}
		fmt.Println(file.Name, file.Mode, file.Size)
	}
	// Output:
	// jujud -rwxr-xr-x 7
	// FORCE-VERSION -rw-r--r-- 6
}
