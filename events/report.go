package events

import (
	"errors"
)

// ReportHead stands in every fact that an agent tells. An agent numbers its reports
// from 1 without gaps within an epoch and sends them in order until each is
// acknowledged; the fold drops what it has seen.
type ReportHead struct {
	Machine string `json:"machine"`
	Epoch   string `json:"epoch"` // new whenever the agent's outbox is made anew
	N       uint64 `json:"n"`     // from 1
}

// Head gives the report's head; every report has it by embedding.
func (h *ReportHead) Head() ReportHead { return *h }

// SetHead is for the agent's outbox, which numbers reports as it takes them.
func (h *ReportHead) SetHead(head ReportHead) { *h = head }

func (h *ReportHead) validate() error {
	if h.N == 0 {
		return errors.New("report number 0")
	}
	return errors.Join(needMachine(h.Machine), needID("epoch", h.Epoch))
}

// Report is a payload that an agent tells.
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

// orderHead is the part that reports on an order share.
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

// ReportLate keeps a terminal report whose order already had its one terminal record
// (timed out, superseded): nothing an agent says is lost, and no order ends twice.
type ReportLate struct {
	ReportHead
	Order  string `json:"order"`
	Report string `json:"report"` // its kind
	Data   []byte `json:"data"`   // its payload, byte for byte

	Key       string `json:"key,omitempty"` // who signed it, as in its envelope
	Signature string `json:"signature,omitempty"`
}

// Original is the report as its machine signed it.
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
