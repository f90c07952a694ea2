package decide

import (
	"fmt"
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
)

// judgeDeploy places the first unit of a service. A service is one command: another one
// under its name is refused, the same one is one more unit.
func judgeDeploy(q *inquiry) verdict {
	a := q.ask.Deploy
	if a == nil || !events.IsService(a.Service) {
		return verdict{reasons: refuse(codeMalformed, "the request names no service, or one that is not lower-case letters, digits and dashes")}
	}
	spec := a.Spec()
	if now := targets.NewestUnit(q.State, a.Service); now != nil && !now.SameService(spec) {
		return verdict{reasons: refuse(codeExists,
			"the service %s exists and is another command, environment, user or restart policy; juju add-unit %s --to %s runs one more unit of it, juju "+
				"remove-service %s ends it",
			a.Service, a.Service, a.Machine, a.Service)}
	}
	return q.place(a.Service, spec)
}

// judgeAddUnit places one more unit of a service: what its newest unit is.
func judgeAddUnit(q *inquiry) verdict {
	a := q.ask.AddUnit
	if a == nil || !events.IsService(a.Service) {
		return verdict{reasons: refuse(codeMalformed, "the request names no service")}
	}
	now := targets.NewestUnit(q.State, a.Service)
	if now == nil {
		return verdict{reasons: refuse(codeNoService, "no unit of a service %q runs, so it is not known what it is; juju deploy %s --to %s -- COMMAND says it",
			a.Service, a.Service, a.Machine)}
	}
	spec := (*events.AskDeploy)(a).Spec()
	if !now.SameService(spec) {
		return verdict{reasons: refuse(events.CodeMachinesChanged,
			"the service %s is another command, user, or other names in the environment than was signed; ask again", a.Service)}
	}
	return q.place(a.Service, spec)
}

// place puts a unit with the service's next number on a machine, and assigns the machine
// the whole list of its units.
func (q *inquiry) place(service string, spec events.UnitSpec) verdict {
	m := q.State.Machines[spec.Machine]
	if m == nil || m.Life != projections.LifeAlive {
		return verdict{reasons: refuse(codeNoMachine, "there is no enrolled machine %q to run %s on", spec.Machine, service)}
	}
	// Of an agent that has not reported yet nothing is known. One of before refuses the request itself.
	if (spec.User != "" || spec.Secrets != nil) && !m.Started.IsZero() && m.Units < events.UnitsWithUsers {
		return verdict{reasons: refuse(codeOldAgent, "machine %s runs %s, which does not know the users and the sealed environments of units; upgrade it first",
			spec.Machine, m.Version.Number)}
	}
	spec.Warrant = q.warrantFor(spec.Machine)
	spec.Unit = fmt.Sprintf("%s/%d", service, q.State.NextUnit[service])
	if err := spec.Validate(); err != nil {
		return verdict{reasons: refuse(codeMalformed, "%v", err)}
	}
	return verdict{decided: []events.Payload{
		&events.UnitAdded{UnitSpec: spec},
		assigned(q.State, spec.Machine, append(unitsOf(q.State, spec.Machine, ""), spec)),
	}}
}

// judgeRemoveService removes every unit of a service: one assignment for each machine.
func judgeRemoveService(q *inquiry) verdict {
	service := q.ask.RemoveService
	units := targets.Units(q.State, service)
	if len(units) == 0 {
		return verdict{reasons: refuse(codeNoService, "there is no service %q; juju status lists them", service)}
	}
	var decided []events.Payload
	machines := map[string]bool{}
	for _, u := range units {
		decided = append(decided, &events.UnitRemoved{Unit: u.Unit})
		machines[u.Machine] = true
	}
	for _, id := range sortedKeys(machines) {
		stay := slices.DeleteFunc(unitsOf(q.State, id, ""), func(s events.UnitSpec) bool { return q.State.Units[s.Unit].Service == service })
		decided = append(decided, assigned(q.State, id, stay))
	}
	return verdict{decided: decided}
}

func judgeRemoveUnit(q *inquiry) verdict {
	u := q.State.Units[q.ask.RemoveUnit]
	if u == nil {
		return verdict{reasons: refuse(codeNoUnit, "there is no unit %q; juju status lists them", q.ask.RemoveUnit)}
	}
	return verdict{decided: []events.Payload{
		&events.UnitRemoved{Unit: u.Unit},
		assigned(q.State, u.Machine, unitsOf(q.State, u.Machine, u.Unit)),
	}}
}

// assigned is a list of units for a machine. What is decided later is decided on a state that has read
// more of the log, so its number is greater than that of every list before it.
func assigned(s *projections.State, machine string, units []events.UnitSpec) *events.UnitsAssigned {
	return &events.UnitsAssigned{Machine: machine, Units: units, Number: s.Seq + 1}
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
