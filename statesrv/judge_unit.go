package statesrv

import (
	"fmt"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// judgeDeploy places one more unit of a service, and assigns its machine the whole list
// of its units.
func judgeDeploy(q *inquiry) verdict {
	a := q.ask.Deploy
	if a == nil || !events.IsService(a.Service) {
		return verdict{reasons: refuse(codeMalformed, "the request names no service, or one that is not lower-case letters, digits and dashes")}
	}
	m := q.state.Machines[a.Machine]
	if m == nil || m.Life != projections.LifeAlive {
		return verdict{reasons: refuse(codeNoMachine, "there is no enrolled machine %q to run %s on", a.Machine, a.Service)}
	}
	spec := events.UnitSpec{
		Unit: fmt.Sprintf("%s/%d", a.Service, q.state.NextUnit[a.Service]), Machine: a.Machine,
		Command: a.Command, Env: a.Env, Restart: a.Restart,
	}
	if spec.Restart == "" {
		spec.Restart = events.RestartAlways
	}
	if err := spec.Validate(); err != nil {
		return verdict{reasons: refuse(codeMalformed, "%v", err)}
	}
	return verdict{decided: []events.Payload{
		&events.UnitAdded{UnitSpec: spec},
		&events.UnitsAssigned{Machine: a.Machine, Units: append(unitsOf(q.state, a.Machine, ""), spec)},
	}}
}

func judgeRemoveUnit(q *inquiry) verdict {
	u := q.state.Units[q.ask.RemoveUnit]
	if u == nil {
		return verdict{reasons: refuse(codeNoUnit, "there is no unit %q; juju status lists them", q.ask.RemoveUnit)}
	}
	return verdict{decided: []events.Payload{
		&events.UnitRemoved{Unit: u.Unit},
		&events.UnitsAssigned{Machine: u.Machine, Units: unitsOf(q.state, u.Machine, u.Unit)},
	}}
}

// unitsOf are a machine's units but one, sorted by name.
func unitsOf(s *projections.State, machine, but string) []events.UnitSpec {
	units := []events.UnitSpec{}
	for _, name := range sortedKeys(s.Units) {
		if u := s.Units[name]; u.Machine == machine && name != but {
			units = append(units, u.UnitSpec)
		}
	}
	return units
}
