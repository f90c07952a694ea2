// Package warrant says whether an order is lawful: whether operators asked for it, for this machine,
// whether they may do so, and whether enough of them agree. State servers judge requests with this
// package. Machines check with the same code every order that a state server gives them. Both go by the
// roster in signed metadata; no machine believes a state server about operators. The package does no I/O
// and reads no clock.
//
// Three words:
//
//   - a warrant is what operators signed, with the proof that they signed it for this machine;
//   - a list is the machines of one request, as a Merkle tree whose root the operator signs;
//   - a reader is who checks: what it believes, and what time it is.
//
// Use:
//
//	reader := warrant.Reader{Environment: uuid, Trust: trust, Now: now}
//	ask, err := reader.Check(order.Warrant, warrant.Machine{ID: "3", Key: key, Labels: labels})
//
// Every refusal is an *events.Reason. It has the code of the first check that fails; docs/SECURITY.md
// names the checks in their order.
package warrant
