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

// OrderRefused says that a machine does not do what a record on its order subjects says, and
// why, where no end of an order says it: the record is not lawful, or came too late.
type OrderRefused struct {
	ReportHead
	Record string `json:"record"`          // its kind
	Order  string `json:"order,omitempty"` // that it names
	Unit   string `json:"unit,omitempty"`  // of its list that is not run
	Code   string `json:"code"`            // stable word; docs/SECURITY.md says what to do
	Text   string `json:"text"`
}

func (*OrderRefused) Kind() string { return "order.refused/1" }

func (e *OrderRefused) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the record's kind, the code and a text.
func (e *OrderRefused) Validate() error {
	if e.Record == "" || e.Code == "" || e.Text == "" {
		return errors.New("a refusal without record, code or text")
	}
	return errors.Join(e.ReportHead.validate(), needText("record", e.Record, MaxFieldBytes), needText("order", e.Order, MaxFieldBytes),
		needText("unit", e.Unit, MaxFieldBytes), needText("code", e.Code, MaxFieldBytes), needText("text", e.Text, 4096))
}
