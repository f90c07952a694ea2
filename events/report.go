package events

import (
	"errors"
)

// ReportHead is part of every report. An agent numbers its reports from 1, without gaps within an
// epoch, and sends each of them in that order until it is acknowledged. A report can therefore come
// more than once, and the fold drops one whose number it has seen.
type ReportHead struct {
	Machine string `json:"machine"`
	Epoch   string `json:"epoch"` // another one whenever the agent's outbox begins anew
	N       uint64 `json:"n"`     // from 1
}

// Head gives the report's head.
func (h *ReportHead) Head() ReportHead { return *h }

// SetHead sets the report's head. Only the agent's outbox calls it, when it numbers the report.
func (h *ReportHead) SetHead(head ReportHead) { *h = head }

func (h *ReportHead) validate() error {
	if h.N == 0 {
		return errors.New("report number 0; reports are numbered from 1")
	}
	return errors.Join(needMachine(h.Machine), needID("epoch", h.Epoch))
}

// Report is a fact that an agent tells.
type Report interface {
	Payload
	Head() ReportHead
	SetHead(ReportHead)
}

// OrderReport is a report on the progress of an order.
type OrderReport interface {
	Report
	OrderID() string
}

// orderHead is the part that all reports on an order have.
type orderHead struct {
	ReportHead
	Order string `json:"order"`
}

// OrderID names the order that the report is about.
func (h *orderHead) OrderID() string { return h.Order }
func (h *orderHead) Entity() string  { return entityMachine(h.Machine) }
func (h *orderHead) validate() error {
	return errors.Join(h.ReportHead.validate(), needID("order", h.Order))
}

// ReportLate keeps the last report on an order that had ended before: it was withdrawn or took too
// long. What the agent said is not lost, and the order does not end twice.
type ReportLate struct {
	ReportHead
	Order  string `json:"order"`
	Report string `json:"report"` // kind of the report
	Data   []byte `json:"data"`   // payload of the report, byte for byte

	Key       string `json:"key,omitempty"` // who signed the report, as in its envelope
	Signature string `json:"signature,omitempty"`
}

// Original gives the report as its machine signed it.
func (e *ReportLate) Original() Record {
	return Record{Envelope: Envelope{Key: e.Key, Signature: e.Signature}, Kind: e.Report, Entity: e.Entity(), Data: e.Data}
}

func (*ReportLate) Kind() string     { return "report.late/1" }
func (e *ReportLate) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the order and the original kind.
func (e *ReportLate) Validate() error {
	if e.Report == "" {
		return errors.New("no kind of the original report")
	}
	return errors.Join(needID("order", e.Order), e.ReportHead.validate())
}
