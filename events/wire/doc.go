// Package wire is what clients, agents and state servers say to each other over the bus: the
// questions of a client with their answers, the enrolment of a machine and the renewal of its
// credentials, the pieces of an upload, heartbeats, and the answers to reports. Each is
// declared here once, and both ends use the same type.
//
// Facts are not here: they are in package events. How a message travels is not here either:
// that is package bus. This package does no I/O.
//
// Three words:
//
//   - a question has a name, a type of what it is about and a type of its answer
//     (questions.go lists all of them);
//   - an Asker carries a question to a state server: a connection of package bus is one;
//   - an Answer is how a state server answers one question.
//
// Use, by a client and by a state server:
//
//	position, err := wire.Digest.Ask(ctx, conn, wire.Nothing{})
//
//	answer := wire.Digest.AnsweredBy(func(context.Context, wire.Nothing) (wire.Position, error) { … })
//
// While an environment is upgraded, clients, agents and state servers of different versions
// speak with each other. So the names here, and those of the fields in JSON, are for ever. A
// new field must be optional: its zero value means what its absence meant before. Tests hold
// every type to its bytes (TestBytesOfQuestions, TestBytesOfMessages).
package wire
