package events

import "errors"

// RestartRequested records that an operator asked for restarts of agents.
type RestartRequested struct {
	Request  Request  `json:"request"`
	Machines []string `json:"machines"` // whose agent process restarts; the agent of a unit is part of its machine's
}

// Asked gives the request.
func (e *RestartRequested) Asked() Request { return e.Request }

func (*RestartRequested) Kind() string { return "restart.requested/1" }

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

// RestartOrdered orders one machine to restart its agent, which then runs the same version.
type RestartOrdered struct {
	Order   string  `json:"order"`
	Machine string  `json:"machine"`
	Warrant Warrant `json:"warrant,omitzero"`
}

func (*RestartOrdered) Kind() string { return "restart.ordered/1" }

func (e *RestartOrdered) Entity() string { return entityAgentOrder(e.Machine) }

// Validate asks for the order and the machine.
func (e *RestartOrdered) Validate() error {
	return errors.Join(needID("order", e.Order), needMachine(e.Machine), e.Warrant.validate())
}

// RestartDone is the report that ends a restart order: a new agent process runs.
type RestartDone struct {
	orderHead
	PID int `json:"pid"`
}

func (*RestartDone) Kind() string { return "restart.done/1" }

// Validate checks the heads.
func (e *RestartDone) Validate() error { return e.validate() }
