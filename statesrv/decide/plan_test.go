package decide

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/projections"
)

// upgrading is a desk where alice's upgrade to 1.25.1 was accepted; its archive is stored.
func upgrading(t *testing.T) *desk {
	t.Helper()
	c := newCourt(t)
	if got := c.ask(c.upgrade("r1"), "alice"); got != "upgrade.requested upgrade.accepted" {
		t.Fatalf("the upgrade is %q", got)
	}
	return c.desk
}

// planned tells a plan: kinds of facts, then wants.
func planned(d Decision) string {
	var words []string
	for _, f := range d.Facts {
		words = append(words, f.Payload.Kind())
	}
	for _, w := range d.Wants {
		words = append(words, fmt.Sprintf("%T", w))
	}
	if d.Again {
		words = append(words, "again")
	}
	return strings.Join(words, " ")
}

func TestAPlanSaysTheSameTwice(t *testing.T) {
	k := upgrading(t)
	look := Outlook{Committed: k.state.Seq, Warrants: &Warrants{}}
	before := k.state.Digest()
	plan := func() Decision {
		return Plan(At{State: k.state, Now: k.now, NewID: func() string { return "id" }}, look)
	}
	first, second := plan(), plan()
	if diff := cmp.Diff(first, second, cmpopts.EquateComparable(tools.Tools{})); diff != "" {
		t.Errorf("the second plan differs:\n%s", diff)
	}
	if got := planned(first); got != "order.issued/1" {
		t.Errorf("the plan is %q", got)
	}
	if p := first.Facts[0].Proof; p == nil || p.Machine != "0" || p.Seq != k.state.Upgrade.Seq {
		t.Errorf("the order asks for the proof %+v", p)
	}
	if k.state.Digest() != before {
		t.Error("planning changed the state")
	}
}

// The request must lie in the log before it can be proved to lie there.
func TestNothingIsOrderedBeforeTheRequestIsCommitted(t *testing.T) {
	k := upgrading(t)
	got := planned(Plan(k.at(), Outlook{Committed: k.state.Upgrade.Seq - 1, Warrants: &Warrants{}}))
	if got != "again" {
		t.Errorf("the plan is %q", got)
	}
}

// Each row: how fetching the archive goes, and what the plan makes of it.
func TestAPlanWantsArchivesFirst(t *testing.T) {
	broken := errors.New("it broke off")
	for name, c := range map[string]struct {
		fetch Fetch
		want  string
	}{
		"nobody has tried":       {Fetch{}, "decide.FetchTools"},
		"it is under way":        {Fetch{Since: judged, UnderWay: true}, "decide.FetchTools"},
		"it failed a moment ago": {Fetch{Since: judged.Add(-time.Minute), Err: broken}, "decide.FetchTools"},
		"it fails for hours":     {Fetch{Since: judged.Add(-2 * time.Hour), Err: broken}, "upgrade.halted/1 decide.ForgetFetch"},
		"and is tried once more": {Fetch{Since: judged.Add(-2 * time.Hour), Err: broken, UnderWay: true}, "decide.FetchTools"},
		"its bytes are wrong":    {Fetch{Since: judged, Err: broken, Hopeless: true}, "upgrade.halted/1 decide.ForgetFetch"},
	} {
		t.Run(name, func(t *testing.T) {
			k := upgrading(t)
			k.state.Tools = map[string]*projections.StoredTools{}
			look := Outlook{Committed: k.state.Seq, Warrants: &Warrants{}, Fetches: map[string]Fetch{digest: c.fetch}}
			if got := planned(Plan(k.at(), look)); got != c.want {
				t.Errorf("the plan is %q, want %q", got, c.want)
			}
		})
	}
}

// Orders that an abort could not withdraw at once are withdrawn by the next plans.
func TestAPlanWithdrawsWhatAnAbortLeft(t *testing.T) {
	k := newDesk(t)
	for i := range maxOrders + 1 {
		id := fmt.Sprint(i)
		k.state.Orders[id] = &projections.Order{ID: "o" + id, Machine: id, Kind: projections.OrderUpgrade, Upgrade: "gone"}
	}
	for _, want := range []int{maxOrders, 1, 0} {
		d := Plan(k.at(), Outlook{})
		if len(d.Facts) != want {
			t.Fatalf("%d orders are withdrawn, want %d", len(d.Facts), want)
		}
		k.decided(d)
	}
}
