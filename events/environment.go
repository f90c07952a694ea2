package events

import (
	"errors"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// EnvironmentCreated is the first record of every log, at sequence 1.
type EnvironmentCreated struct {
	UUID         string         `json:"uuid"`
	Name         string         `json:"name"`
	AgentVersion version.Number `json:"agent_version"`
	Operators    []Operator     `json:"operators"`

	// What the log begins with beside that. The records which say so follow this one, and are believed if
	// they say the same. A log from before facts had to be proven has no root.
	Root     string            `json:"root,omitempty"`     // sha256 of the first root of the signed metadata; every fact needs a signed cause
	Settings map[string]string `json:"settings,omitempty"` // set from the start
	Machine  string            `json:"machine,omitempty"`  // public nkey of machine 0, which needs no invitation
}

func (*EnvironmentCreated) Kind() string   { return "environment.created/1" }
func (*EnvironmentCreated) Entity() string { return entityEnvironment }

// Validate asks for all fields and at least one operator.
func (e *EnvironmentCreated) Validate() error {
	switch {
	case e.UUID == "" || !IsID(e.UUID):
		return needID("environment", e.UUID)
	case !IsID(e.Name):
		return needID("environment name", e.Name)
	case e.AgentVersion.IsZero():
		return errors.New("no agent version")
	case len(e.Operators) == 0:
		return errors.New("no operator")
	case e.Root != "" && !tools.IsDigest(e.Root):
		return errors.New("the root is not 64 lower-case hex digits")
	}
	for _, o := range e.Operators {
		if err := o.validate(); err != nil {
			return err
		}
	}
	return nil
}

// SettingChanged records set-env and unset-env.
type SettingChanged struct {
	Key   string `json:"key"`
	Value string `json:"value,omitempty"`
	Unset bool   `json:"unset,omitempty"`
}

func (*SettingChanged) Kind() string   { return "setting.changed/1" }
func (*SettingChanged) Entity() string { return entityEnvironment }

// Validate checks sizes only. The state server judges which keys and values there are.
func (e *SettingChanged) Validate() error {
	if e.Key == "" {
		return errors.New("no key")
	}
	return errors.Join(needText("key", e.Key, 64), needText("value", e.Value, 4096))
}

// SnapshotTaken says that a snapshot of the state was written, and gives its digest. A replay that
// comes to another digest at the same sequence has found a fault.
type SnapshotTaken struct {
	Seq    uint64 `json:"seq"`
	Digest string `json:"digest"`           // sha256 of the state, in hex
	Schema int    `json:"schema,omitempty"` // of the state; only digests of the same schema can be compared
}

func (*SnapshotTaken) Kind() string   { return "snapshot.taken/1" }
func (*SnapshotTaken) Entity() string { return entityEnvironment }

// Validate asks for both fields.
func (e *SnapshotTaken) Validate() error {
	if e.Seq == 0 || e.Digest == "" {
		return errors.New("no sequence or no digest")
	}
	return nil
}
