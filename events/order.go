package events

import (
	"errors"
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

// OrderIssued tells one machine to move to one archive of tools. It is open until one fact
// ends it: see EndsOrder.
type OrderIssued struct {
	Order   string         `json:"order"`
	Upgrade string         `json:"upgrade"`
	Machine string         `json:"machine"`
	From    version.Number `json:"from"` // the machine must run this, else it refuses
	Tools   tools.Tools    `json:"tools"`
	Expires time.Time      `json:"expires"` // the machine must have begun by then
	Health  int64          `json:"health_window_ms"`
	Warrant

	// Log proves that the request lies in the log, below a checkpoint that goes on from
	// the one that the machine has seen last.
	Log tree.Proof `json:"log,omitzero"`

	Rate     int64 `json:"rate_bytes_s,omitempty"` // most that the download may take; 0: no limit
	Resolved bool  `json:"resolved,omitempty"`     // forget first which versions failed here: machine.resolved came before
}

func (*OrderIssued) Kind() string     { return "order.issued/1" }
func (e *OrderIssued) Entity() string { return entityAgentOrder(e.Machine) }

// Validate asks for everything but what the warrant means.
func (e *OrderIssued) Validate() error {
	if e.From.IsZero() || e.Expires.IsZero() || e.Health < 0 || e.Rate < 0 {
		return errors.New("no version to come from, no expiry, a negative health window, or a negative rate")
	}
	return errors.Join(needID("order", e.Order), needID("upgrade", e.Upgrade), needMachine(e.Machine), e.Tools.Validate(), e.Warrant.validate())
}

// OrderSuperseded withdraws an open order (the upgrade was aborted, the machine removed).
type OrderSuperseded struct {
	Order   string `json:"order"`
	Machine string `json:"machine"`
	Reason  string `json:"reason"`
}

func (*OrderSuperseded) Kind() string     { return "order.superseded/1" }
func (e *OrderSuperseded) Entity() string { return entityAgentOrder(e.Machine) }

// Validate asks for the order and the machine.
func (e *OrderSuperseded) Validate() error {
	return errors.Join(needID("order", e.Order), needMachine(e.Machine), needText("reason", e.Reason, 1024))
}

// OrderTimedOut closes an order that its machine did not end in time.
type OrderTimedOut struct {
	Order   string `json:"order"`
	Machine string `json:"machine"`
}

func (*OrderTimedOut) Kind() string     { return "order.timed_out/1" }
func (e *OrderTimedOut) Entity() string { return entityAgentOrder(e.Machine) }

// Validate asks for the order and the machine.
func (e *OrderTimedOut) Validate() error {
	return errors.Join(needID("order", e.Order), needMachine(e.Machine))
}

// EndsOrder names the order that a fact ends, and the order's machine. Exactly one fact in the
// log ends an order: the last report of its machine, or the word of the state server that the
// order was withdrawn or took too long. What the machine says after that is kept as report.late,
// which ends nothing.
func EndsOrder(fact Payload) (order, machine string, ends bool) {
	switch p := fact.(type) {
	case *AgentUpgraded:
		return p.Order, p.Machine, true
	case *AgentUpgradeFailed:
		return p.Order, p.Machine, true
	case *AgentRolledBack:
		return p.Order, p.Machine, true
	case *RestartDone:
		return p.Order, p.Machine, true
	case *OrderSuperseded:
		return p.Order, p.Machine, true
	case *OrderTimedOut:
		return p.Order, p.Machine, true
	}
	return "", "", false
}

// RestartRequested records an operator's restart-agent.
type RestartRequested struct {
	Request  Request  `json:"request"`
	Machines []string `json:"machines"` // whose agent process restarts; a unit's agent lives in its machine's
}

func (*RestartRequested) Kind() string     { return "restart.requested/1" }
func (e *RestartRequested) Entity() string { return entityRequest(e.Request.ID) }

// Validate checks the request and the machines.
func (e *RestartRequested) Validate() error {
	for _, m := range e.Machines {
		if err := needMachine(m); err != nil {
			return err
		}
	}
	return e.Request.Validate()
}

// RestartOrdered tells one machine to restart its agent in place.
type RestartOrdered struct {
	Order   string  `json:"order"`
	Machine string  `json:"machine"`
	Warrant Warrant `json:"warrant,omitzero"`
}

func (*RestartOrdered) Kind() string     { return "restart.ordered/1" }
func (e *RestartOrdered) Entity() string { return entityAgentOrder(e.Machine) }

// Validate asks for the order and the machine.
func (e *RestartOrdered) Validate() error {
	return errors.Join(needID("order", e.Order), needMachine(e.Machine), e.Warrant.validate())
}
