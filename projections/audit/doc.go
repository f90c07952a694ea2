// Package audit shows the log to people, and checks it. It is pure: it works on records that the caller
// has read.
//
// Three words:
//
//   - an Entry is one record in words: who did what, when, and why;
//   - a Finding is one thing that must not be in a log, with a stable code;
//   - a Witness is a checkpoint that somebody has seen before, which the log must continue.
//
// A Filter chooses entries and a Writer prints them. A Verifier checks what the records say: that none is
// missing, that each order ends once, that who signed a record may say it. A Tree checks the bytes
// of the log against checkpoints that were signed.
package audit
