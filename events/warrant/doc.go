// Package warrant says whether an order is lawful: whether operators who may do so asked for
// this, for this machine, and enough of them. State servers judge requests with it, and
// machines check with the same code every order that a state server gives them, against the
// roster in the signed metadata they believe. It does no I/O and reads no clock.
//
//	reader := warrant.Reader{Environment: uuid, Trust: trust, Now: now}
//	ask, err := reader.Check(order.Warrant, warrant.Machine{ID: "3", Key: key, Labels: labels})
//
// A refusal is an *events.Reason with a stable code. The first check that fails is named; nothing
// after it is looked at.
package warrant
