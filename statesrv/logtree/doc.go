// Package logtree keeps the Merkle tree over an environment's log, beside the log, and signs
// its head. Whoever has seen one head can check that the log only ever grew since.
//
//	t, err := logtree.Open(dir, environment, signer, logger)
//	err = t.Add(stored)               // once for each record, while the log is read
//	t.Append(recs)                    // what the writer has put into the log
//	t.SignIfDue(now)                  // once a second at most, while there is something new
//	proof, err := t.Prove(rec, sizes, now)
//
// Three words:
//
//   - a leaf is the hash of one record and of its place in the log;
//   - a head is the root over the first records of the log, and how many they are;
//   - a checkpoint is a head with a signature. Its file is the state server's own memory of
//     what it has signed.
//
// After a crash the hashes that were not flushed are lost, and that is no loss: the log gives
// them again, and the checkpoint judges them. A checkpoint is shown to nobody before it and
// its hashes are on disk.
package logtree
