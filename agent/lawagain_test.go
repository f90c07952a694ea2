package agent

import (
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/install/crashfs"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
)

// inJournal is an order as the journal keeps it, once the machine has taken it up.
func inJournal(t *testing.T, o *events.OrderIssued) install.Order {
	t.Helper()
	s := State{Machine: "3", Running: version.Binary{Number: o.From, Series: "trusty", Arch: "amd64"}}
	s, _ = Step(s, Ordered{Seq: 5, Order: *o, Now: lawTime})
	if s.Phase != install.PhaseAccepted {
		t.Fatalf("the order was not taken up: %+v", s.Journal)
	}
	return *s.Order
}

const day = 24 * time.Hour

// Each row changes one thing after a lawful order was taken up, and names the code that the
// order ends with when it is judged again.
func TestB07OrdersAreJudgedAgain(t *testing.T) {
	alice := testkey.Of("alice").Public()
	for name, c := range map[string]struct {
		later func(*Law, *metadata, *install.Order)
		want  string
	}{
		"nothing changed":               {func(*Law, *metadata, *install.Order) {}, ""},
		"a day later":                   {func(l *Law, _ *metadata, _ *install.Order) { l.Now = lawTime.Add(day) }, ""},
		"the archive was revoked":       {func(_ *Law, m *metadata, o *install.Order) { m.revoked.Artefacts = []string{o.Tools.SHA256} }, version.CodeRevoked},
		"the request was taken back":    {func(_ *Law, m *metadata, _ *install.Order) { m.revoked.Requests = []string{"up"} }, events.CodeRequestRevoked},
		"the operator's key is revoked": {func(_ *Law, m *metadata, _ *install.Order) { m.revoked.Keys = []string{alice} }, events.CodeRequestOperator},
		"the operator was removed":      {func(_ *Law, m *metadata, _ *install.Order) { m.roster.Operators = nil }, events.CodeRequestOperator},
		"two must agree by now": {
			func(_ *Law, m *metadata, _ *install.Order) { m.roster.Quorums = []events.Quorum{{Operators: 2}} },
			events.CodeRequestQuorum,
		},
		"the floor was raised":       {func(_ *Law, m *metadata, _ *install.Order) { m.floor = version.Number{Major: 1, Minor: 26} }, events.CodeFloor},
		"the time to begin is over":  {func(l *Law, _ *metadata, _ *install.Order) { l.Now = lawTime.Add(8 * day) }, events.CodeRequestExpired},
		"the metadata ended":         {func(l *Law, _ *metadata, _ *install.Order) { l.Fresh = lawTime }, events.CodeTUFExpired},
		"an agent of before kept it": {func(_ *Law, _ *metadata, o *install.Order) { o.Warrant = events.Warrant{} }, events.CodeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			law, o := lawOf3(), inJournal(t, upgradeOf3(t))
			believed := law.Trust.(metadata)
			c.later(&law, &believed, &o)
			law.Trust = believed
			got := ""
			if f := law.Again(o); f != nil {
				got = f.Code
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A machine downloads; the archive is revoked meanwhile. What was published is fetched before
// the order is judged again, however short ago that was.
func TestB07RevokedWhileDownloading(t *testing.T) {
	order := upgradeOf3(t)
	s := newSite(t, "site", lawTime)
	sign := func() {
		_, err := s.repo.Sign(tuf.Targets, siteKey("site/targets"))
		s.must(err)
	}
	s.must(s.repo.SetJSON(lawTime.Add(year), tuf.FileOperators, lawOf3().Trust.Roster()))
	s.must(s.repo.SetTools(lawTime.Add(year), order.Tools))
	sign()
	a := testAgent(t, &s.fakeBus)
	a.cfg.Own.Number, a.cfg.Now = order.From, func() time.Time { return lawTime }
	a.trust = s.reader(emptyDisk(t, crashfs.Ext4), a.cfg.Now).trust
	judged := func(want string) {
		t.Helper()
		if err := a.do(t.Context(), Judge{inJournal(t, order), BeforeSwitch}); err != nil {
			t.Fatal(err)
		}
		got := ""
		if f := next(t, a).(Judged).Failure; f != nil {
			got = f.Code
		}
		if got != want {
			t.Errorf("it was judged %q, want %q", got, want)
		}
	}
	a.trust.published(s.publish("site", lawTime))
	judged("")
	s.must(s.repo.SetJSON(lawTime.Add(year), tuf.FileRevoked, events.Revoked{Artefacts: []string{order.Tools.SHA256}}))
	sign()
	a.trust.published(s.publish("site", lawTime))
	judged(version.CodeRevoked)
}
