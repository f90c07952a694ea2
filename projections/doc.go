// Package projections folds the log of an environment into its state: machines, units, tools, the
// upgrade in progress, what became of each request. It does no I/O, reads no clock and starts no
// goroutine. The same log gives the same State, byte for byte, on every machine.
//
// Three words:
//
//   - to fold is to apply one record of the log to a State;
//   - a digest is the SHA-256 of a State: equal digests mean equal states;
//   - a snapshot is a State as bytes, with its position in the log and its digest, so that a state
//     server that starts folds only the records behind that position.
//
// Use:
//
//	s := projections.New()
//	for rec, err := range log.Read(ctx, s.Seq+1, last) {
//		if err != nil && !errors.Is(err, events.ErrInvalid) {
//			return err
//		}
//		s.Fold(rec) // bytes that are no record are counted in Skipped
//	}
//
// A State can be deleted at any time and made again from the log. The packages below are functions of a
// State: rollout plans an upgrade, status shows the environment, targets says which machines a request
// is about. Package audit reads the log itself.
package projections
