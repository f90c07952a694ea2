// Package tree makes a log tamper-evident. It builds a Merkle tree over the records of the log (RFC 6962,
// by golang.org/x/mod/sumdb/tlog). The state server signs the head of the tree at least every second
// while records are added (C2SP tlog-checkpoint, a signed note). The package is pure: it does not keep
// hashes or checkpoints.
//
// Three words:
//
//   - a leaf is the hash of one record in its place: another stream, environment, sequence, subject or
//     byte makes another leaf;
//   - a head is a size and the root over that many leaves;
//   - a checkpoint is a head that a log key has signed.
//
// Whoever has an old checkpoint can find out, from a few hashes, whether the log of a newer one begins
// with the old log (consistency), and whether a record lies in the log (inclusion):
//
//	c, err := verifiers.Open(note)           // signed by a log key that is believed
//	refusal := verifiers.Check(proof, place, remembered)
//
// For a log whose past was changed there is no proof. Whoever has a checkpoint from before refuses the
// log with log-fork, and the two signed checkpoints are the evidence: see Evidence.
package tree
