package events

import (
	"errors"
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

// OrderIssued orders one machine to upgrade to one archive of tools. The order is open until one
// fact ends it: see EndsOrder.
type OrderIssued struct {
	Order   string         `json:"order"`
	Upgrade string         `json:"upgrade"`
	Machine string         `json:"machine"`
	From    version.Number `json:"from"` // a machine that runs another version refuses the order
	Tools   tools.Tools    `json:"tools"`
	Expires time.Time      `json:"expires"`          // a machine that has not begun by then refuses the order
	Health  int64          `json:"health_window_ms"` // how long the new version must be healthy before it is kept
	Warrant

	// Log proves that the request lies in the log, and that this log continues the one that
	// the machine has seen before. See CheckLogged.
	Log tree.Proof `json:"log,omitzero"`

	Rate     int64 `json:"rate_bytes_s,omitempty"` // the limit of the download; 0: no limit
	Resolved bool  `json:"resolved,omitempty"`     // the machine first forgets which builds failed on it: machine.resolved came before
}

func (*OrderIssued) Kind() string     { return "order.issued/1" }
func (e *OrderIssued) Entity() string { return entityAgentOrder(e.Machine) }

// Validate checks everything but what the warrant means, which package events/warrant checks.
func (e *OrderIssued) Validate() error {
	if e.From.IsZero() || e.Expires.IsZero() || e.Health < 0 || e.Rate < 0 {
		return errors.New("no version to come from, no expiry, a negative health window, or a negative rate")
	}
	return errors.Join(needID("order", e.Order), needID("upgrade", e.Upgrade), needMachine(e.Machine), e.Tools.Validate(), e.Warrant.validate())
}

// OrderSuperseded withdraws an open order, because the upgrade was aborted or the machine removed.
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

// OrderTimedOut ends an order that its machine did not end in time.
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

// OrderRefused is a report: a machine does not do what a record on one of its order subjects says.
// The record is not lawful, or came too late. An order that the machine refuses ends with
// AgentUpgradeFailed instead; OrderRefused is for everything else.
type OrderRefused struct {
	ReportHead
	Record string `json:"record"`          // kind of the record that is refused
	Order  string `json:"order,omitempty"` // the order that the record names
	Unit   string `json:"unit,omitempty"`  // the unit that is not run, of the list in the record
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
