package events

import (
	"errors"
	"time"

	"github.com/jujube-project/jujube/events/version"
)

// EnvironmentCreated opens every log: it is the record at sequence 1.
type EnvironmentCreated struct {
	UUID         string         `json:"uuid"`
	Name         string         `json:"name"`
	AgentVersion version.Number `json:"agent_version"`
	Operators    []Operator     `json:"operators"`
}

// Operator is a person, or a program, whose signed requests are obeyed.
type Operator struct {
	Name string `json:"name"` // letters, digits, - and _
	Key  string `json:"key"`  // public nkey, "U…"

	Grants []Grant `json:"grants,omitempty"` // none: nothing is allowed
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

// Validate checks sizes only; which keys and values exist is the state server's to judge.
func (e *SettingChanged) Validate() error {
	if e.Key == "" {
		return errors.New("no key")
	}
	return errors.Join(needText("key", e.Key, 64), needText("value", e.Value, 4096))
}

// SnapshotTaken says that a projection was written down, and what its digest was: a
// later replay that comes to another digest at the same sequence has found a fault.
type SnapshotTaken struct {
	Seq    uint64 `json:"seq"`
	Digest string `json:"digest"`           // sha256 of the projection, hex
	Schema int    `json:"schema,omitempty"` // of the projection; only digests of one schema can be compared
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

// Request is what an operator asked, kept byte for byte. Facts that a request leads to
// begin with one record that holds it.
type Request struct {
	ID       string    `json:"id"`
	Action   string    `json:"action"`   // an Action… constant
	Operator string    `json:"operator"` // name of the operator whose key signed it
	Created  time.Time `json:"created"`  // by the operator's clock
	Signed   []byte    `json:"signed"`   // the Statement as published, for whoever checks again
}

// Validate asks for all fields.
func (r *Request) Validate() error {
	if err := needID("request", r.ID); err != nil {
		return err
	}
	if r.Action == "" || r.Operator == "" || len(r.Signed) == 0 {
		return errors.New("the request names no action, no operator or has no signed bytes")
	}
	return needText("signed request", string(r.Signed), MaxRequestBytes)
}

// RequestReceived records a request that has no kind of its own (settings, machines,
// units). What was decided follows in the same batch.
type RequestReceived struct {
	Request Request `json:"request"`
}

func (*RequestReceived) Kind() string     { return "request.received/1" }
func (e *RequestReceived) Entity() string { return entityRequest(e.Request.ID) }

// Validate checks the request.
func (e *RequestReceived) Validate() error { return e.Request.Validate() }

// RequestRefused answers a request with every reason at once. Nothing was changed.
type RequestRefused struct {
	Request string   `json:"request"` // its id
	Reasons []Reason `json:"reasons"`
}

func (*RequestRefused) Kind() string     { return "request.refused/1" }
func (e *RequestRefused) Entity() string { return entityRequest(e.Request) }

// Validate asks for at least one reason.
func (e *RequestRefused) Validate() error {
	return errors.Join(needID("request", e.Request), needReasons(e.Reasons))
}

func needReasons(rs []Reason) error {
	if len(rs) == 0 {
		return errors.New("no reason")
	}
	for _, r := range rs {
		if r.Code == "" || r.Text == "" {
			return errors.New("a reason without a code or a text")
		}
	}
	return nil
}
