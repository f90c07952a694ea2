// Package projections folds the log of an environment into its state: machines, units,
// tools, the upgrade in progress, what became of each request. It does no I/O, reads no
// clock and starts no goroutine: the same log gives the same State, byte for byte, on
// every machine.
//
// Three words:
//
//   - to fold is to apply one record to a State;
//   - a digest names a State: equal digests mean equal states;
//   - a snapshot is a State written down with its position in the log and its digest,
//     so that a start folds only the records behind it.
//
// Use:
//
//	s := projections.New()
//	for rec, err := range log.Read(ctx, s.Seq+1, last) {
//		if err != nil && !errors.Is(err, events.ErrInvalid) {
//			return err
//		}
//		s.Fold(rec) // a record that is no record is counted in Skipped
//	}
//
// A State can be deleted at any time and made again from the log. What it decides
// (projections/rollout), shows (projections/status) and proves (projections/audit) are
// pure functions in the packages below.
package projections
