package audit_test

import (
	"fmt"

	"github.com/jujube-project/jujube/projections/audit"
	"github.com/jujube-project/jujube/projections/scenario"
)

var told = scenario.New().Lines(`env demo 1.24.0
enrol 0 1.24.0 server
lost 0
returned 0`).Records

// `juju audit log --kind "machine.*"` prints what this filter chooses.
func ExampleFilter() {
	filter := audit.Filter{Kind: "machine.*"}
	for _, rec := range told {
		if e := audit.EntryOf(rec); filter.Match(e) {
			fmt.Println(e.Seq, e.Actor, e.What, e.Subject)
		}
	}
	// Output:
	// 2 state-server-0 machine.enrolled/1 machine-0
	// 3 state-server-0 machine.lost/1 machine-0
	// 4 state-server-0 machine.returned/1 machine-0
}

// A Verifier finds that the record 2 is missing.
func ExampleVerifier() {
	v := audit.NewVerifier()
	for _, rec := range told {
		if rec.Seq != 2 {
			v.Fold(rec, nil)
		}
	}
	for _, f := range v.Findings {
		fmt.Println(f.Seq, f.Code)
	}
	// Output:
	// 3 gap
}
