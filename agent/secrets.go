package agent

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/jujube-project/jujube/events"
)

// Opener reads what was sealed for this machine's key; bus.Identity is one.
type Opener interface {
	Open(about, box []byte) ([]byte, error)
}

// secrets opens the environments of units. The values are never written to this host's disk:
// they are opened when a workload starts, and only its process has them.
type secrets struct {
	uuid string // of the environment
	key  Opener // nil: nothing can be opened
}

// open gives the environment of a unit. What it was sealed about stands in the unit's warrant,
// which was checked when the machine was given the unit.
func (s secrets) open(spec events.UnitSpec) (map[string]string, error) {
	if spec.Secrets == nil {
		return spec.Env, nil
	}
	signed, ask, err := events.ParseSigned(spec.Warrant.Request)
	if err != nil {
		return nil, err
	}
	if s.key == nil {
		return nil, events.Refuse(codeSealedForOther, "this agent has no key to open the environment with")
	}
	text, err := s.key.Open(events.SecretsOf(s.uuid, spec.Machine, ask.ID, signed.Key), spec.Secrets.Box)
	var env map[string]string
	if err == nil {
		err = json.Unmarshal(text, &env)
	}
	if err != nil {
		return nil, events.Refuse(codeSealedForOther, "the environment of unit %s cannot be opened with this machine's key: %v", spec.Unit, err)
	}
	if !slices.Equal(slices.Sorted(maps.Keys(env)), spec.Secrets.Names) {
		return nil, events.Refuse(codeSealedForOther, "the environment of unit %s has other names than were signed", spec.Unit)
	}
	return env, nil
}
