// Package writer is the only way into the log: one goroutine that takes changes from a
// queue, lets each be decided on the state with every change before it, appends what was
// decided, and only then answers.
//
//	w := writer.New(writer.Config{…}, owner)
//	go w.Run(ctx)
//	err := w.Do(ctx, func(at decide.At) (decide.Decision, error) { return decide.Pass(at, …), nil })
//
// Three words:
//
//   - a change is one input: what decides on it, and who is told how that ended;
//   - a batch is the records of the changes that waited together: it is appended whole, or
//     not at all, behind the expected end of the log;
//   - the owner is whom the writer serves: it plans what follows from each batch, makes the
//     proofs that orders carry, and does what is wanted once a batch is on disk.
//
// The order of steps in one batch is the safety of the whole: decide, plan, append, fold
// into what others see, do, answer. Nobody is told that something is stored before the log
// says so. If it is unknown whether an append was stored, the log itself is asked. If
// somebody else has written, the writer ends: the state that it has folded meanwhile is
// worth nothing, and must be read from the log again.
//
// After a crash nothing that was answered is lost: it is on disk.
package writer
