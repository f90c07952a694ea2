package statesrv_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
)

// slow serves a tree that does not answer before the gate is opened.
func slow(t *testing.T, dir string) (url string, open func()) {
	t.Helper()
	gate := make(chan struct{})
	files := http.FileServer(http.Dir(dir))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-gate:
			files.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() { close(gate) }
}

// waiting is a place where an upgrade waits for a source that does not answer, and a setting
// was asked for behind it.
func waiting(t *testing.T) (p *place, next tools.Tools, upgradeID, settingID string, open func()) {
	t.Helper()
	p = newPlace(t)
	next, data := packed(t, "1.25.1", "new jujud")
	dir, _ := tree(t, next, data)
	url, open := slow(t, dir)
	p.start(from(t, url))
	p.signTools(next)
	upgradeID = p.publish(upgrade(next))
	settingID, got := p.ask(events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-policy": "newest"}})
	if got != "request.received/1 setting.changed/1" {
		t.Fatalf("the request behind it is %q", got)
	}
	if n := p.decisions(upgradeID); n != 0 {
		t.Fatalf("the upgrade was judged in %d records, although nobody knows whether its archive can be had", n)
	}
	return p, next, upgradeID, settingID, open
}

// decisions is how many records belong to a request.
func (p *place) decisions(id string) (n int) {
	p.Helper()
	last, err := p.log.Last(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	for rec, err := range p.log.Read(p.Context(), 1, last) {
		if err != nil {
			p.Fatal(err)
		}
		if rec.Correlation == id {
			n++
		}
	}
	return n
}

func TestASlowSourceHoldsUpNobodyElse(t *testing.T) {
	p, _, id, _, open := waiting(t)
	open()
	if got := p.decision(id); got != "upgrade.requested/1 upgrade.accepted/1" {
		t.Fatalf("the upgrade is %q", got)
	}
	p.state()
}

// The state server ends while an upgrade waits that a later request has overtaken. The next
// one judges the upgrade, and the later request not again.
func TestARequestThatWasOvertakenIsJudgedByTheNextStateServer(t *testing.T) {
	p, _, upgradeID, settingID, open := waiting(t)
	p.stop()
	open()
	p.start()
	if got := p.decision(upgradeID); got != "upgrade.requested/1 upgrade.accepted/1" {
		t.Fatalf("the upgrade is %q", got)
	}
	if n := p.decisions(settingID); n != 2 {
		t.Fatalf("the setting is in %d records, want 2", n)
	}
	p.state()
}

// A stranger publishes under the id of an upgrade that waits. He is judged behind it, where the id
// is known: the upgrade is not left out.
func TestNobodyOvertakesARequestUnderItsID(t *testing.T) {
	p, _, upgradeID, _, open := waiting(t)
	p.bus.StoreRequest(p.bus.Operator("mallory").Identity(), events.Ask{
		ID: upgradeID, Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-policy": "newest"},
		Environment: bustest.Environment, Created: time.Now(), Expires: time.Now().Add(time.Minute),
	})
	p.ask(events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-policy": "step"}}) // it lies behind mallory's
	if n := p.decisions(upgradeID); n != 0 {
		t.Fatalf("while it waits, %d records have the upgrade's id", n)
	}
	open()
	if got := p.decision(upgradeID); got != "upgrade.requested/1 upgrade.accepted/1" {
		t.Fatalf("the upgrade is %q", got)
	}
	p.state()
}

// A request of somebody who may not ask for an upgrade costs no look into the sources.
func TestNothingIsLookedUpForSomebodyWhoMayNotAsk(t *testing.T) {
	p := newPlace(t)
	var asked atomic.Int64
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "out of order", http.StatusInternalServerError)
	}))
	t.Cleanup(broken.Close)
	p.start(from(t, broken.URL))
	p.waitKind(0, "tools.source_lost/1") // it was looked into at the term's start
	before := asked.Load()
	next, _ := toolsOf("1.25.1", "new jujud")
	mallory := p.bus.Operator("mallory")
	ask := upgrade(next)
	ask.ID, ask.Environment, ask.Created, ask.Expires = newID(), bustest.Environment, time.Now(), time.Now().Add(time.Minute)
	p.bus.StoreRequest(mallory.Identity(), ask)
	if got := p.decision(ask.ID); got != "refused: req-operator" {
		t.Fatalf("mallory's upgrade is %q", got)
	}
	if n := asked.Load(); n != before {
		t.Errorf("the source was asked %d times for mallory", n-before)
	}
	p.ask(upgrade(next))
	if n := asked.Load(); n == before {
		t.Error("the source was not asked for alice, either")
	}
}
