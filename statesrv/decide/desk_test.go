package decide

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
)

const digest = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

var judged = time.Date(2015, 9, 15, 12, 0, 0, 0, time.UTC)

func bin(v string) version.Binary {
	n, err := version.Parse(v)
	if err != nil {
		panic(err)
	}
	return version.Binary{Number: n, Series: "trusty", Arch: "amd64"}
}

// environment is one at 1.25.0 with a state server and two machines; machine 2 runs v2.
func environment(v2 string) *projections.State {
	s := projections.New()
	s.UUID, s.AgentVersion, s.NextMachine = "env", bin("1.25.0").Number, 3
	for id, v := range map[string]string{"0": "1.25.0", "1": "1.25.0", "2": v2} {
		s.Machines[id] = &projections.Machine{ID: id, Life: projections.LifeAlive, Version: bin(v), StateServer: id == "0", Key: testkey.Of("machine-" + id).Public()}
	}
	s.Units["web/0"] = &projections.Unit{UnitSpec: events.UnitSpec{Unit: "web/0", Machine: "1", Command: []string{"x"}, Restart: "always"}, Service: "web"}
	s.NextUnit["web"] = 1
	return s
}

// desk is a state server that decides, without a bus: what it decides is folded at once, as
// the writer does.
type desk struct {
	t     *testing.T
	state *projections.State
	now   time.Time
	ids   int
	recs  []events.Record
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return &desk{t: t, state: environment("1.25.0"), now: judged}
}

func (k *desk) at() At { return At{State: k.state, Now: k.now, NewID: k.newID} }

func (k *desk) newID() string { k.ids++; return fmt.Sprintf("id-%d", k.ids) }

// decided records a decision.
func (k *desk) decided(d Decision) {
	k.t.Helper()
	recs, err := k.records(d.Facts)
	if err != nil && d.Otherwise != nil {
		recs, err = k.records(d.Otherwise(err))
	}
	if err != nil {
		k.t.Fatal(err)
	}
	for _, rec := range recs {
		k.state.Fold(rec)
	}
	k.recs = append(k.recs, recs...)
}

func (k *desk) records(facts []Fact) (recs []events.Record, err error) {
	for _, f := range facts {
		env := events.Envelope{ID: f.ID, Time: k.now, Actor: f.Actor, Causation: f.Cause, Correlation: f.Correlation}
		if env.ID == "" {
			env.ID = k.newID()
		}
		if env.Actor == "" {
			env.Actor = "state-server-0"
		}
		var rec events.Record
		if f.Report != nil {
			rec, err = f.Report.As(env)
		} else {
			rec, err = events.New(env, f.Payload)
		}
		if err != nil {
			return nil, err
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

// fact records something that happened without being decided here.
func (k *desk) fact(correlation string, p events.Payload) {
	k.t.Helper()
	k.decided(Decision{Facts: []Fact{{Correlation: correlation, Payload: p}}})
}

func (k *desk) want(kinds string) {
	k.t.Helper()
	if got := kindsOf(k.recs); got != kinds {
		k.t.Fatalf("recorded %s\nwant     %s", got, kinds)
	}
}

func kindsOf(recs []events.Record) string {
	var kinds []string
	for _, r := range recs {
		kinds = append(kinds, r.Kind)
	}
	return strings.Join(kinds, " ")
}
