package simplestreams_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/version"
)

// What Make writes about archives, ParseProducts reads.
func ExampleMake() {
	products, entry := simplestreams.Make("released", []simplestreams.Found{{
		Tools: tools.Tools{
			Version: version.Binary{Number: version.Number{Major: 1, Minor: 25, Patch: 1}, Series: "trusty", Arch: "amd64"},
			Size:    9, SHA256: strings.Repeat("ab", 32),
		},
		Path: "releases/juju-1.25.1-trusty-amd64.tgz",
	}}, time.Date(2015, 9, 15, 12, 0, 0, 0, time.UTC))
	fmt.Println(entry.Path)
	b, err := simplestreams.Encode(products)
	if err != nil {
		panic(err)
	}
	list, faults := simplestreams.ParseProducts(b, "released")
	fmt.Println(list[0].Version, list[0].Path, len(faults))
	// Output:
	// streams/v1/com.ubuntu.juju-released-tools.json
	// 1.25.1-trusty-amd64 releases/juju-1.25.1-trusty-amd64.tgz 0
}
