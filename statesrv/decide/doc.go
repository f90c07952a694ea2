// Package decide is everything that a state server decides. A decision is a function of the
// state, one input, the time and ids, to facts for the log and wants for afterwards. It does
// no I/O, waits for nothing, reads no clock, and has no lock, channel or goroutine: the same
// arguments give the same decision in a state server, in a simulated fleet and in a test.
//
//	d, err := decide.Requested(at, request, known)   // an operator's request
//	d, code, err := decide.Report(at, told)          // what a machine tells
//	d := decide.Pass(at, heard)                      // time has passed
//	d := decide.Plan(at, outlook)                    // what follows for the upgrade in progress
//
// Four words:
//
//   - At is what every decision may look at: the state, the time, and new ids;
//   - a Fact goes into the log. Package writer makes its record, signs what machines obey, and
//     adds the proof that an order asks for;
//   - a Want is done when the facts are on disk, and is dropped with them. Each may be done
//     twice;
//   - knowledge (Known, Outlook, Heard) is what the log does not say: what sources offer, how
//     fetches go, who was heard when. It is plain data, and an argument.
//
// Whose a request or a report is, is found out before it is decided (Authenticate,
// AuthenticateReport), on the same state. A refusal has a stable code and leaves everything as
// it was. testdata holds a story for each action, with its refusals.
package decide
