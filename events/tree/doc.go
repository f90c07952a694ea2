// Package tree makes a log tamper-evident: a Merkle tree over its records (RFC 6962, by
// golang.org/x/mod/sumdb/tlog), whose head the log's keeper signs every moment as a
// checkpoint (C2SP tlog-checkpoint, a signed note). It is pure: who keeps hashes and
// checkpoints, and where, is not its business.
//
// A leaf is one record, in its place: another stream, another environment, another
// sequence, another subject or another byte make another leaf. A head is a size and the
// root over that many leaves. A checkpoint is a head that a log key has signed.
//
// Whoever holds an old checkpoint finds out, from a few hashes, whether a newer one only
// added to it (consistency), and whether a record lies below it (inclusion):
//
//	c, err := verifiers.Open(note)           // signed by a log key that is believed
//	refusal := verifiers.Check(proof, place, remembered)
//
// No proof can be made for a log whose past was changed: whoever saw it before refuses it,
// with log-fork, and has both signed checkpoints in his hands as evidence.
package tree
