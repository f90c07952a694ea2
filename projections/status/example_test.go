package status_test

import (
	"os"

	"github.com/jujube-project/jujube/projections/scenario"
	"github.com/jujube-project/jujube/projections/status"
)

// `juju status` is this: what Make says of the state, in the format that the user asks for.
func ExampleMake() {
	state := fold(scenario.New().Lines(`env demo 1.24.0
enrol 0 1.24.0 server
start 0 1.24.0`).Records)
	if err := status.Write(os.Stdout, "yaml", status.Make(state), status.Options{UTC: true}); err != nil {
		panic(err)
	}
	// Output:
	// environment:
	//   name: demo
	//   uuid: "5c1e3f5c-0000-4000-8000-000000000001"
	//   agent-version: 1.24.0
	// machines:
	//   "0":
	//     agent-state: started
	//     agent-version: 1.24.0
	//     dns-name: host0
	//     life: alive
	//     series: trusty
	//     hardware: arch=amd64
	//     state-server-member-status: has-vote
	//     since: "2015-06-01T12:00:03Z"
	// services: {}
	// log:
	//   position: 3
	//   time: "2015-06-01T12:00:03Z"
}
