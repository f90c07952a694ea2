package targets_test

import (
	"fmt"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/scenario"
	"github.com/jujube-project/jujube/projections/targets"
)

// An upgrade is about every machine that is alive, and the person who signs it signs this list.
func ExampleOf() {
	state := projections.New()
	for _, rec := range scenario.New().Lines(`env demo 1.24.0
enrol 0 1.24.0 server
enrol 1 1.24.0
enrol 2 1.24.0
remove 1`).Records {
		state.Fold(rec)
	}
	for _, m := range targets.Of(state, events.Ask{Action: events.ActionUpgrade}) {
		fmt.Println(m.ID)
	}
	// Output:
	// 0
	// 2
}
