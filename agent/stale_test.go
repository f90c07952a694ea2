package agent

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent/install/crashfs"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
)

// unitsOf are the names of the units that the machine runs by its list.
func unitsOf(a *Agent) (names []string) {
	now, _ := a.units.kept()
	for name := range now {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// The metadata ends while web/0 runs. A list that starts a unit, one that stops web/0 and one that
// changes its command change nothing; what was asked for last is done by itself when newer
// metadata is there, and is told once however often that is tried.
func TestB08StaleMetadataStartsAndStopsNothing(t *testing.T) {
	a := testAgent(t, &fakeBus{})
	t.Cleanup(func() { a.units.end(false) })
	law, seq := lawOf3(), uint64(0)
	give := func(units ...events.UnitSpec) {
		t.Helper()
		seq++
		a.hear(t.Context(), law, said(t, seq, &events.UnitsAssigned{Machine: "3", Units: units}, "state server"))
	}
	want := func(units, refusals string) {
		t.Helper()
		if got := fmt.Sprint(unitsOf(a)); got != units {
			t.Errorf("after list %d it runs %s, want %s", seq, got, units)
		}
		if got := fmt.Sprint(refusalsOf(t, a)); got != refusals {
			t.Errorf("after list %d it refused %s, want %s", seq, got, refusals)
		}
	}
	web, db, other := unit(t, "web/0", "q1", "/bin/sleep", "60"), unit(t, "db/0", "q2", "/bin/sleep", "60"), unit(t, "web/0", "q3", "/bin/sleep", "61")
	give(web)
	law.Fresh = law.Now
	give(web) // nothing to start or stop: nothing to refuse
	want("[web/0]", "[]")
	give(web, db)
	want("[web/0]", "[tuf-expired]")
	give(other)
	want("[web/0]", "[tuf-expired tuf-expired]")
	if now, _ := a.units.kept(); !sameUnit(now["web/0"], web) {
		t.Error("the command of web/0 was changed")
	}
	give()
	want("[web/0]", "[tuf-expired tuf-expired tuf-expired]")
	give(db) // web/0 stays, db/0 does not start: both are told
	want("[web/0]", "[tuf-expired tuf-expired tuf-expired tuf-expired tuf-expired]")

	judge := func() { // what comes back when newer metadata is believed
		t.Helper()
		a.unjudged.again()
		for rec, ok := a.unjudged.take(); ok; rec, ok = a.unjudged.take() {
			a.hear(t.Context(), law, rec)
		}
	}
	judge()
	want("[web/0]", "[tuf-expired tuf-expired tuf-expired tuf-expired tuf-expired]")
	law.Fresh = law.Now.Add(time.Hour)
	judge()
	want("[db/0]", "[tuf-expired tuf-expired tuf-expired tuf-expired tuf-expired]")
	give() // nothing is kept any more: an older list does not come back
	judge()
	want("[]", "[tuf-expired tuf-expired tuf-expired tuf-expired tuf-expired]")
}

// Newer metadata that is believed lets what waits be judged again.
func TestB08NewerMetadataIsNoticed(t *testing.T) {
	s := newSite(t, "site", june)
	r := s.reader(emptyDisk(t, crashfs.Ext4), atJune)
	select {
	case <-r.renewed:
		t.Fatal("it says so of nothing")
	default:
	}
	p := s.publish("site", june)
	r.takes(p)
	<-r.renewed
	r.takes(p) // the same again is no news
	select {
	case <-r.renewed:
		t.Error("it says so of what it believed already")
	default:
	}
}

// A request of an operator that names a far time does not let a machine forget what it did.
func TestB08FarUntilForgetsNothing(t *testing.T) {
	order := upgradeOf3(t)
	ask := events.Ask{
		ID: "up", Action: events.ActionUpgrade, Until: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
		Upgrade: &events.AskUpgrade{To: order.Tools.Version.Number, Artefacts: []tools.Tools{order.Tools}},
	}
	order.Warrant = warranted(t, "alice", ask, "3")
	in, err := lawOf3().Input(said(t, 5, order, "state server"), order)
	if err != nil {
		t.Fatal(err)
	}
	done := used(map[string]time.Time{"before": lawTime.Add(events.MaxRequestLife)}, "up", in.(Ordered).Until)
	if len(done) != 2 {
		t.Errorf("it remembers %v", done)
	}
}
