package events

import "errors"

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

func (*OrderRefused) Kind() string     { return "order.refused/1" }
func (e *OrderRefused) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the record's kind, the code and a text.
func (e *OrderRefused) Validate() error {
	if e.Record == "" || e.Code == "" || e.Text == "" {
		return errors.New("a refusal without record, code or text")
	}
	return errors.Join(e.ReportHead.validate(), needText("record", e.Record, MaxFieldBytes), needText("order", e.Order, MaxFieldBytes),
		needText("unit", e.Unit, MaxFieldBytes), needText("code", e.Code, MaxFieldBytes), needText("text", e.Text, 4096))
}
