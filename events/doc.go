// Package events holds the facts of an environment: their envelope, their kinds,
// the codec that puts them on the wire, and the contract of the log that keeps them.
//
// The package does no I/O, reads no clock and starts no goroutine. The same bytes give the
// same facts on every machine, today and in a year.
//
// Three words:
//
//   - a record is one stored fact: an envelope (who recorded it, when, because of what) and a
//     payload (what happened);
//   - a kind is the payload's wire name and version, such as "upgrade.accepted/1";
//   - an entity is what a record is about, such as "machine.machine-3". It is the
//     record's subject in the log, below the log's own prefix.
//
// Use:
//
//	rec, err := events.New(events.Envelope{ID: id, Time: now, Actor: "operator-alice"},
//		&events.SettingChanged{Key: "upgrade-max-in-flight", Value: "5"})
//	last, err := log.Append(ctx, expected, rec) // ErrConflict: somebody else wrote; decide again
//	for rec, err := range log.Read(ctx, 1, last) {
//		fact, err := events.Decode(rec) // ErrUnknownKind: count the record and skip it
//	}
//
// A record is never changed after it was appended. A kind never changes its meaning either: to
// give it another one, add the kind with "/2" and an upcaster that makes a "/2" of each "/1".
//
// What everybody must agree on stands here in tables: Actions (what operators may ask for),
// Codes (why something is refused) and kinds (what can happen).
package events
