package events

import (
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/events/version"
)

// UnitSpec is one run of a service's command on one machine.
type UnitSpec struct {
	Unit    string            `json:"unit"`    // "web/0"
	Machine string            `json:"machine"` // "3"
	Command []string          `json:"command"` // program and arguments; no shell
	Env     map[string]string `json:"env,omitempty"`
	Restart string            `json:"restart"` // RestartAlways, RestartOnFailure or RestartNever

	Warrant Warrant `json:"warrant,omitzero"` // the request that asked for this unit
}

// When a workload that ended is started again.
const (
	RestartAlways    = "always"
	RestartOnFailure = "on-failure"
	RestartNever     = "never"
)

// Validate asks for unit, machine, command and a known restart policy.
func (u *UnitSpec) Validate() error {
	switch {
	case !IsUnit(u.Unit):
		return fmt.Errorf("unit %q is not SERVICE/NUMBER", u.Unit)
	case len(u.Command) == 0 || u.Command[0] == "":
		return fmt.Errorf("unit %s has no command", u.Unit)
	case u.Restart != RestartAlways && u.Restart != RestartOnFailure && u.Restart != RestartNever:
		return fmt.Errorf("unit %s: restart policy %q is not always, on-failure or never", u.Unit, u.Restart)
	}
	return errors.Join(needMachine(u.Machine), u.Warrant.validate())
}

// UnitAdded says that a machine is to run a new unit.
type UnitAdded struct {
	UnitSpec
}

func (*UnitAdded) Kind() string     { return "unit.added/1" }
func (e *UnitAdded) Entity() string { return entityUnit(e.Unit) }

// UnitRemoved says that a unit is not to run any more.
type UnitRemoved struct {
	Unit string `json:"unit"`
}

func (*UnitRemoved) Kind() string     { return "unit.removed/1" }
func (e *UnitRemoved) Entity() string { return entityUnit(e.Unit) }

// Validate asks for the unit.
func (e *UnitRemoved) Validate() error { return needUnit(e.Unit) }

func needUnit(name string) error {
	if !IsUnit(name) {
		return fmt.Errorf("unit %q is not SERVICE/NUMBER", name)
	}
	return nil
}

// Workload states.
const (
	UnitPending = "pending" // not yet reported
	UnitStarted = "started"
	UnitStopped = "stopped"
	UnitError   = "error"
)

// UnitStateChanged is the report of a unit's agent on its workload.
type UnitStateChanged struct {
	ReportHead
	Unit    string         `json:"unit"`
	State   string         `json:"state"`          // started, stopped or error
	Info    string         `json:"info,omitempty"` // why, for a person
	PID     int            `json:"pid,omitempty"`
	Version version.Number `json:"version"` // of the unit agent
}

func (*UnitStateChanged) Kind() string     { return "unit.state_changed/1" }
func (e *UnitStateChanged) Entity() string { return entityUnit(e.Unit) }

// Validate asks for the unit, its machine and a known state.
func (e *UnitStateChanged) Validate() error {
	switch e.State {
	case UnitStarted, UnitStopped, UnitError:
	default:
		return fmt.Errorf("state %q is not started, stopped or error", e.State)
	}
	return errors.Join(needUnit(e.Unit), e.ReportHead.validate(), needText("info", e.Info, 4096))
}

// UnitsAssigned is the whole list of units that a machine is to run. It is state and no change: an
// agent that missed older lists needs the newest one only.
type UnitsAssigned struct {
	Machine string     `json:"machine"`
	Units   []UnitSpec `json:"units"`

	// Number orders the lists of one machine: the newer of two has the greater. It is the position
	// in the log that the list could have at the earliest. The signature covers it, but not the
	// position where NATS says that the list lies. 0: a state server of before wrote it.
	Number uint64 `json:"number,omitempty"`
}

func (*UnitsAssigned) Kind() string     { return "units.assigned/1" }
func (e *UnitsAssigned) Entity() string { return entityUnitsOrder(e.Machine) }

// Validate checks every unit and that it is this machine's.
func (e *UnitsAssigned) Validate() error {
	for i := range e.Units {
		if err := e.Units[i].Validate(); err != nil {
			return err
		}
		if e.Units[i].Machine != e.Machine {
			return fmt.Errorf("unit %s is of machine %s, not %s", e.Units[i].Unit, e.Units[i].Machine, e.Machine)
		}
	}
	return needMachine(e.Machine)
}
