package rollout_test

import (
	"fmt"

	"github.com/jujube-project/jujube/projections/rollout"
	"github.com/jujube-project/jujube/projections/scenario"
)

// The state server is upgraded first. The others wait for it, each with its reason.
func ExamplePlan() {
	state := fold(scenario.New().Lines(`env demo 1.24.0
enrol 0 1.24.0 server
enrol 1 1.24.0
enrol 2 1.24.0
ask u1 1.25.0
accept u1 1.24.0 1.25.0 0,1,2`).Records)
	plan := rollout.Plan(state, rollout.Policy{MaxInFlight: 1})
	fmt.Println("order now:", plan.Order)
	for _, m := range plan.Machines {
		fmt.Println(m.Machine, m.Action, "-", m.Reason)
	}
	// Output:
	// order now: [0]
	// 0 order - is next
	// 1 wait - waits for state server machine-0
	// 2 wait - waits for state server machine-0
}
