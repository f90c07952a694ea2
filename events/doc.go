// Package events holds the facts of an environment: their envelope, their kinds,
// the codec that puts them on the wire, and the contract of the log that keeps them.
//
// It does no I/O, reads no clock and starts no goroutine: the same bytes give the
// same facts on every machine, to-day and in a year.
//
// Three words:
//
//   - a record is one stored fact: an envelope (who, what, when, why) and a payload;
//   - a kind is the payload's wire name and version, such as "upgrade.accepted/1";
//   - an entity is what a record is about, such as "machine.machine-3". It is the
//     record's subject in the log, below the log's own prefix.
//
// Use:
//
//	rec, err := events.New(events.Envelope{ID: id, Time: now, Actor: "operator-alice"},
//		&events.SettingChanged{Key: "upgrade-max-in-flight", Value: "5"})
//	last, err := log.Append(ctx, expected, rec) // ErrConflict: read on and decide again
//	for rec, err := range log.Read(ctx, 1, last) {
//		fact, err := events.Decode(rec) // ErrUnknownKind: count it and skip it
//	}
//
// A record that was appended is never changed. To change the meaning of a kind, add
// "/2" and an upcaster from "/1".
package events
