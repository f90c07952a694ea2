// Package wire is what the two ends of the bus say to each other: the questions that an
// operator's client asks a state server with their answers, the enrolment of a machine and
// the renewal of its credentials, the pieces of an upload, heartbeats, and the answers to
// reports. Each is declared here once, and client, agent and state server use the same type.
//
// Facts are not here: they are package events. How messages travel is not here either: that
// is package bus. This package does no I/O.
//
// Every type is JSON on the bus. Its field names are for ever: a client, an agent and a
// state server of different versions speak with each other during an upgrade. A new field
// is optional, and its zero value means what its absence meant.
package wire
