package warrant_test

import (
	"fmt"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
)

// An operator has rights over machines with certain labels. A request that touches one machine
// more is refused.
func ExampleMay() {
	dave := events.Operator{Name: "dave", Grants: []events.Grant{{Role: events.RoleOperate, Labels: map[string]string{"env": "dev"}}}}
	test := warrant.Machine{ID: "1", Labels: map[string]string{"env": "dev"}}
	live := warrant.Machine{ID: "3", Labels: map[string]string{"env": "prod"}}
	fmt.Println(warrant.May(dave, events.ActionUpgrade, []warrant.Machine{test}))
	fmt.Println(warrant.May(dave, events.ActionUpgrade, []warrant.Machine{test, live}))
	// Output:
	// <nil>
	// req-scope: dave does not have the role operate over machine 3, which has the labels env=prod, and upgrade needs it
}
