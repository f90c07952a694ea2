package events

import (
	"errors"
	"time"
)

// Request is what an operator asked, kept byte for byte. The first of the records that a request
// leads to holds it.
type Request struct {
	ID       string    `json:"id"`
	Action   string    `json:"action"`   // an Action… constant
	Operator string    `json:"operator"` // name of the operator whose key signed it
	Created  time.Time `json:"created"`  // by the operator's clock
	Signed   []byte    `json:"signed"`   // the Signed as it was published, so that everybody can check it again
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

// RequestReceived records a request whose action has no kind of its own (settings, machines,
// units). What was decided follows in the same batch.
type RequestReceived struct {
	Request Request `json:"request"`
}

// Asked gives the request.
func (e *RequestReceived) Asked() Request { return e.Request }

func (*RequestReceived) Kind() string { return "request.received/1" }

func (e *RequestReceived) Entity() string { return entityRequest(e.Request.ID) }

// Validate checks the request.
func (e *RequestReceived) Validate() error { return e.Request.Validate() }

// RequestRefused answers a request with every reason at once. Nothing was changed.
type RequestRefused struct {
	Request string   `json:"request"` // its id
	Reasons []Reason `json:"reasons"`
}

func (*RequestRefused) Kind() string { return "request.refused/1" }

func (e *RequestRefused) Entity() string { return entityRequest(e.Request) }

// Validate asks for at least one reason.
func (e *RequestRefused) Validate() error {
	return errors.Join(needID("request", e.Request), needReasons(e.Reasons))
}
