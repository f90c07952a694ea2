package events

import (
	"errors"
	"time"
)

// RequestPending records a request that nothing forbids and that waits for more operators to agree. What
// it leads to is decided with the last approval. A request for an upgrade has kinds of its own.
type RequestPending struct {
	Request Request   `json:"request"`
	Needed  int       `json:"needed"` // number of operators who must agree; the one who asked is one of them
	Until   time.Time `json:"until"`  // it does not wait longer
}

// Asked gives the request.
func (e *RequestPending) Asked() Request { return e.Request }

func (*RequestPending) Kind() string { return "request.pending/1" }

func (e *RequestPending) Entity() string { return entityRequest(e.Request.ID) }

// Validate checks the request, and asks for more than one operator.
func (e *RequestPending) Validate() error {
	if e.Needed < 2 || e.Until.IsZero() {
		return errors.New("it needs less than two operators, or waits without an end")
	}
	return e.Request.Validate()
}

// RequestApproved records that one more operator agrees to a request that waits.
type RequestApproved struct {
	Request  Request `json:"request"`           // the approval
	Approved string  `json:"approved"`          // id of the request that waits
	Missing  int     `json:"missing,omitempty"` // how many more must agree; 0: what the request leads to follows in this batch
}

// Asked gives the request.
func (e *RequestApproved) Asked() Request { return e.Request }

func (*RequestApproved) Kind() string { return "request.approved/1" }

func (e *RequestApproved) Entity() string { return entityRequest(e.Approved) }

// Validate checks the approval, and asks for the request.
func (e *RequestApproved) Validate() error {
	if e.Missing < 0 {
		return errors.New("less than no operator is missing")
	}
	return errors.Join(e.Request.Validate(), needID("request", e.Approved))
}
