package projections_test

import (
	"fmt"

	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/scenario"
)

// The state of an environment is the fold of its log, and a snapshot of it is the same state.
func ExampleState_Fold() {
	log := scenario.New().Lines(`env demo 1.24.0
enrol 0 1.24.0 server
start 0 1.24.0
enrol 1 1.24.0`)
	state := projections.New()
	for _, rec := range log.Records {
		state.Fold(rec)
	}
	again, err := projections.DecodeSnapshot(projections.EncodeSnapshot(state))
	if err != nil {
		panic(err)
	}
	for _, id := range []string{"0", "1"} {
		m := again.Machines[id]
		fmt.Println(m.ID, m.Life, m.Version, m.StateServer)
	}
	// Output:
	// 0 alive 1.24.0-trusty-amd64 true
	// 1 alive 1.24.0-trusty-amd64 false
}
