package audit

import (
	"errors"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
)

// Entry is one record of the log in words.
type Entry struct {
	Seq         uint64    `json:"seq"`
	Time        time.Time `json:"time"` // when it was recorded, UTC
	Actor       string    `json:"actor"`
	What        string    `json:"what"`    // kind, such as "order.issued/1"
	Subject     string    `json:"subject"` // what it is about: "machine-3", "unit-web-0", "environment"
	Why         string    `json:"why"`
	Correlation string    `json:"correlation,omitempty"` // the request, and so the upgrade, that it belongs to
	Machine     string    `json:"machine,omitempty"`     // id of the machine that it concerns
}

// EntryOf gives a record in words. For a record that this build cannot read, Why says so.
func EntryOf(r events.Record) Entry {
	e := Entry{
		Seq: r.Seq, Time: r.Time, Actor: r.Actor, What: r.Kind,
		Subject: subject(r.Entity), Correlation: r.Correlation,
	}
	payload, err := events.Decode(r)
	switch {
	case errors.Is(err, events.ErrUnknownKind):
		e.Why = "written by a newer release: this build cannot read it"
	case err != nil:
		e.Why = "cannot be read: " + err.Error()
	default:
		e.Why, e.Machine = tell(payload)
	}
	return e
}

// subject is the noun in an entity: "machine-3" of both "machine.machine-3" and
// "order.machine-3.agent".
func subject(entity string) string {
	words := strings.Split(entity, ".")
	if len(words) > 1 {
		return words[1]
	}
	return entity
}
