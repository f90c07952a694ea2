package warrant

import (
	"github.com/jujube-project/jujube/events"
)

// What whoever folds the log asks of a request that it has authenticated: whether a fact is what was
// asked for. When machines may begin it, and whether the metadata is fresh, is for machines alone.

// Names says whether the list of a request has a machine, as the warrant proves.
func Names(ask events.Ask, w events.Warrant, m Machine) bool { return holds(ask.Machines, w, m) }

// AsksFor says whether a request is for this unit: the same service, machine, command, environment and
// restart policy.
func AsksFor(ask events.Ask, u events.UnitSpec) bool { return asks(ask, u) }

// Enough refuses a request to which too few operators agree; by is who asked for it.
func (r Reader) Enough(w events.Warrant, ask events.Ask, by events.Operator, machines []Machine) error {
	return r.quorum(w, ask, by, machines)
}
