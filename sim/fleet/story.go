package fleet

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/projections"
)

const environment = "env-1"

// begin makes the environment with machines that run the first release, and draws the releases to
// come.
func (w *world) begin() {
	w.drawFaults()
	w.releases = []*release{newRelease(-1, good)}
	rounds := 1 + w.rnd.IntN(4)
	for i := range rounds {
		is := good
		if w.rnd.IntN(3) > 0 {
			is = badly[w.rnd.IntN(len(badly))]
		}
		w.releases = append(w.releases, newRelease(i, is))
	}
	w.releases = append(w.releases, newRelease(rounds, good))
	for i := range w.cfg.Machines {
		w.hosts = append(w.hosts, w.newHost(i, w.releases[0]))
	}
	w.centre = &centre{world: w}
	s := w.centre.lead()
	s.record(&events.EnvironmentCreated{
		UUID: environment, Name: "fleet", AgentVersion: w.releases[0].Version.Number, Operators: []events.Operator{{Name: "alice", Key: "UALICE"}},
	})
	limit := 1 + w.rnd.IntN(max(1, w.cfg.Machines/2))
	if w.cfg.Machines > 200 {
		limit = 100 + w.rnd.IntN(900)
	}
	s.record(
		&events.SettingChanged{Key: "upgrade-max-in-flight", Value: strconv.Itoa(limit)},
		&events.SettingChanged{Key: "upgrade-order-timeout", Value: "10m"},
	)
	for _, r := range w.releases {
		s.record(&events.ToolsStored{Tools: r.Tools, Source: "fleet"})
	}
	w.faults.on = false
	for some := range slices.Chunk(w.hosts, 1000) {
		for _, h := range some {
			s.record(h.enrolled())
		}
		w.centre.commit(s)
	}
	w.faults.on = true
	for _, h := range w.hosts {
		w.after(w.between(0, 5*time.Second), h.power)
	}
	w.after(time.Second, w.centre.tick)
	w.weather()
}

// story is what the operator does. He upgrades to one release after another, whatever becomes of
// each. Then the faults end, and he upgrades to the last release.
func (w *world) story() {
	at := 10 * time.Second
	for _, r := range w.releases[1 : len(w.releases)-1] {
		w.after(at, func() { w.wanted = r; w.upgrade(r) })
		length := w.between(30*time.Second, 8*time.Minute)
		for range w.rnd.IntN(4) {
			w.after(at+w.between(0, length), w.meddle)
		}
		at += length
	}
	w.after(at, func() {
		w.calm()
		w.after(time.Minute, w.finish)
	})
	w.after(at/2, w.insist)
}

// insist asks again, now and then, for an upgrade that has halted: most of the reasons for a halt
// are faults that pass.
func (w *world) insist() {
	if !w.faults.on {
		return
	}
	w.after(w.between(20*time.Second, 2*time.Minute), w.insist)
	if u := w.centre.state().Upgrade; u != nil && len(u.Halted) > 0 && w.wanted != nil {
		w.upgrade(w.wanted)
	}
}

// upgrade asks for a release. If an upgrade is in progress, that is aborted.
func (w *world) upgrade(r *release) {
	if r.is != good {
		w.faults.count[badRelease]++
	}
	w.tell("upgrade to %s (%s)", r.Version.Number, r.is)
	w.centre.ask(events.Ask{Action: events.ActionUpgrade, Upgrade: &events.AskUpgrade{
		To: r.Version.Number, Client: r.Version.Number, Artefacts: []tools.Tools{r.Tools}, Reset: true, Rollback: true,
	}})
}

// meddle does something else that operators do during an upgrade.
func (w *world) meddle() {
	id := strconv.Itoa(w.rnd.IntN(len(w.hosts)))
	switch w.rnd.IntN(5) {
	case 0:
		w.centre.ask(events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{All: len(w.hosts) <= 500, Tags: some(len(w.hosts) > 500, id)}})
	case 1, 2:
		w.centre.ask(events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{Tags: []string{id}}})
	case 3:
		w.centre.ask(events.Ask{Action: events.ActionResolved, Resolved: id})
	case 4:
		w.upgrade(w.releases[1+w.rnd.IntN(len(w.releases)-2)])
	}
}

func some(yes bool, names ...string) []string {
	if yes {
		return names
	}
	return nil
}

// finish brings every machine to the last release, as a patient operator does. When the upgrade
// halts, he allows the machines that refuse the release to try it again, and asks again.
func (w *world) finish() {
	last := w.releases[len(w.releases)-1]
	s := w.centre.state()
	over := s.AgentVersion == last.Version.Number && s.Upgrade == nil && len(s.Orders) == 0 && w.checks.settled(last)
	if over {
		w.centre.done = true
		return
	}
	w.after(time.Minute, w.finish)
	busy := s.Upgrade != nil && s.Upgrade.To == last.Version.Number && len(s.Upgrade.Halted) == 0
	if busy || s.AgentVersion == last.Version.Number && s.Upgrade == nil {
		return
	}
	for _, h := range w.hosts {
		if m := s.Machines[h.id]; m != nil && denies(m, last) && s.Orders[h.id] == nil {
			w.centre.ask(events.Ask{Action: events.ActionResolved, Resolved: h.id})
		}
	}
	w.upgrade(last)
}

func denies(m *projections.Machine, r *release) bool {
	for _, d := range m.Denied {
		if d.Tools.SHA256 == r.SHA256 {
			return true
		}
	}
	return false
}

func (r *release) String() string { return fmt.Sprintf("%s (%s)", r.Version.Number, r.is) }
