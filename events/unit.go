package events

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/events/version"
)

// UnitSpec is one run of a service's command on one machine.
type UnitSpec struct {
	Unit    string            `json:"unit"`          // "web/0"
	Machine string            `json:"machine"`       // "3"
	Command []string          `json:"command"`       // program and arguments; no shell
	Env     map[string]string `json:"env,omitempty"` // in clear: of a deployment of before
	Restart string            `json:"restart"`       // RestartAlways, RestartOnFailure or RestartNever

	User    string   `json:"user,omitempty"`    // UserOwn, or a user of the machine; empty: root, of a deployment of before
	Secrets *Secrets `json:"secrets,omitempty"` // the environment

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
	case u.User != "" && u.User != UserOwn && !IsUser(u.User):
		return fmt.Errorf("unit %s: %q is no name of a user", u.Unit, u.User)
	case u.Restart != RestartAlways && u.Restart != RestartOnFailure && u.Restart != RestartNever:
		return fmt.Errorf("unit %s: restart policy %q is not always, on-failure or never", u.Unit, u.Restart)
	}
	return errors.Join(needMachine(u.Machine), u.Warrant.validate(), u.Secrets.validate())
}

// UserOwn is the user of a unit that runs as a user of its service's own, which the machine makes.
const UserOwn = "own user"

// UnitsWithUsers is what an agent reports that knows the users and the secrets of units. One that
// does not would refuse the whole request: see ParseSigned.
const UnitsWithUsers = 2

// userRoot is whom deployments of before run as: the agent's own user.
const userRoot = "root"

// RunsAs is the user of a unit, for a person.
func (u *UnitSpec) RunsAs() string { return cmp.Or(u.User, userRoot) }

// SameService says whether two are units of one service: the same command, user and restart
// policy, and the same names in the environment. The values are sealed, and cannot be compared.
func (u *UnitSpec) SameService(v UnitSpec) bool {
	return slices.Equal(u.Command, v.Command) && u.User == v.User && u.Restart == v.Restart && slices.Equal(u.EnvNames(), v.EnvNames())
}

// EnvNames are the names in the environment, sorted.
func (u *UnitSpec) EnvNames() []string {
	names := slices.Sorted(maps.Keys(u.Env))
	if u.Secrets != nil {
		names = append(names, u.Secrets.Names...)
		slices.Sort(names)
	}
	return names
}

// Secrets is the environment of a unit, sealed: only its machine can read the values, and only
// for the request that they were sealed for.
type Secrets struct {
	Names []string `json:"names"` // sorted
	// Box is a JSON object of names and values, sealed for the machine's key (bus.Seal). What it
	// is about is SecretsOf.
	Box []byte `json:"box"`
}

// secretsType stands in front of what a box is about, so that it can be nothing else.
const secretsType = "jujube.unit-environment.v1"

// SecretsOf is what the secrets of a unit are about: one request of one operator for one machine.
// Whoever copies a box into a request of his own cannot have it opened.
func SecretsOf(environment, machine, request, operatorKey string) []byte {
	return PAE(secretsType, fmt.Appendf(nil, "%s\n%s\n%s\n%s", environment, machine, request, operatorKey))
}

// Equal says whether two are the same bytes; nil is nil.
func (s *Secrets) Equal(t *Secrets) bool {
	return s == t || s != nil && t != nil && slices.Equal(s.Names, t.Names) && bytes.Equal(s.Box, t.Box)
}

// validate asks for names that a process can have, in order, and for something in the box.
func (s *Secrets) validate() error {
	if s == nil {
		return nil
	}
	if len(s.Names) == 0 || len(s.Box) == 0 {
		return errors.New("secrets without a name or without a box")
	}
	for i, name := range s.Names {
		if !IsEnvName(name) || i > 0 && name <= s.Names[i-1] {
			return fmt.Errorf("secrets: %q is no name of a variable, or stands twice or out of order", name)
		}
	}
	return nil
}

// IsEnvName says whether a process can have a variable of that name, and a person can read it.
func IsEnvName(s string) bool {
	return s != "" && len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool { return r == '=' || r <= ' ' || r >= 0x7f })
}

// IsUser says whether a user of a machine can have that name. Source: useradd(8).
func IsUser(s string) bool {
	const first = "abcdefghijklmnopqrstuvwxyz_"
	return s != "" && len(s) <= 32 && strings.Contains(first, s[:1]) && strings.Trim(s, first+"0123456789-.") == ""
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
