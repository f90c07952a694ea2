package bootstrap_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/bootstrap"
)

// What juju says is on the standard output of this example; what jujud answers is the string.
func ExampleAsk() {
	jujud := strings.NewReader(`{"state_server":"USERVER","log":"env+0a1b+key"}
{"jwt":"eyJ0","certificates":"-----BEGIN CERTIFICATE-----"}`)
	made, err := bootstrap.Ask(os.Stdout, jujud,
		bootstrap.Plan{Environment: "0192", Name: "prod", Operator: events.Operator{Name: "ann", Key: "UANN"}, Host: "127.0.0.1"},
		func(k bootstrap.Keys) (bootstrap.Signed, error) {
			return bootstrap.Signed{Bundle: []byte("metadata that names " + k.StateServer)}, nil
		})
	fmt.Println(made.JWT, err)
	// Output:
	// {"environment":"0192","name":"prod","operator":{"name":"ann","key":"UANN"},"host":"127.0.0.1"}
	// {"bundle":"bWV0YWRhdGEgdGhhdCBuYW1lcyBVU0VSVkVS"}
	// eyJ0 <nil>
}
