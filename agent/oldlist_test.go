package agent

import (
	"fmt"
	"testing"

	"github.com/jujube-project/jujube/events"
)

// A list that a state server signed before is shown again, at a position of the log that is newer than
// every other: NATS says that, and nobody signed it. Units are not stopped by it, and the right list
// is not refused afterwards.
func TestB27AnOlderListIsRefused(t *testing.T) {
	a := testAgent(t, &fakeBus{})
	t.Cleanup(func() { a.units.end(false) })
	web, db := unit(t, "web/0", "q1", "/bin/sleep", "60"), unit(t, "db/0", "q2", "/bin/sleep", "60")
	at := uint64(100)
	hear := func(number uint64, units ...events.UnitSpec) {
		t.Helper()
		at++
		a.hear(t.Context(), lawOf3(), said(t, at, &events.UnitsAssigned{Machine: "3", Units: units, Number: number}, "state server"))
	}
	want := func(units, refusals string) {
		t.Helper()
		if got := fmt.Sprint(unitsOf(a)); got != units {
			t.Errorf("it runs %s, want %s", got, units)
		}
		if got := fmt.Sprint(refusalsOf(t, a)); got != refusals {
			t.Errorf("it refused %s, want %s", got, refusals)
		}
	}
	hear(0, web) // of a state server of before
	hear(7)
	hear(12, db)
	want("[db/0]", "[]")
	hear(12, db) // the same again
	want("[db/0]", "[]")
	hear(7) // would stop db/0
	want("[db/0]", "[old-list]")
	hear(0, web) // would start what was removed; it has no number
	want("[db/0]", "[old-list old-list]")
	hear(12, db)
	want("[db/0]", "[old-list old-list]")

	// The next process knows the number from the disk.
	a.units.end(false)
	next := newUnits(a.layout, a.cfg.Own.Number, secrets{}, a.tell, a.cfg.Logger)
	if err := next.load(); err != nil {
		t.Fatal(err)
	}
	a.units = next
	hear(7)
	want("[db/0]", "[old-list old-list old-list]")
	hear(13)
	want("[]", "[old-list old-list old-list]")
}
