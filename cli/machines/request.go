package machines

import (
	"context"
	"strings"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
)

// requester makes signed requests and returns what was decided.
type requester interface {
	Request(ctx context.Context, ask events.Ask) ([]events.Record, error)
}

// machineID reads a machine as people write it: 3 or machine-3.
func machineID(arg string) (string, error) {
	id := strings.TrimPrefix(arg, "machine-")
	if !events.IsMachine(id) {
		return "", app.Usage("%q is no machine; juju status lists them", arg)
	}
	return id, nil
}
