package statesrv

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/rollout"
)

// Codes of refused upgrades, in the order in which they are reported.
const (
	codeAgentMismatch = "agent-mismatch"
	codeConflict      = "conflict"
	codeClientMajor   = "client-major"
	codeLowerMajor    = "lower-major"
	codeLowerMinor    = "lower-minor"
	codeNoTools       = "no-tools"
	codeNothing       = "nothing-to-do"
	codeNoMachines    = "no-machines"
)

// judgeUpgrade accepts an upgrade, or refuses it with every blocker at once. Source of
// the rules: Juju 1.25, "setting the version".
func judgeUpgrade(q *inquiry) verdict {
	a := q.ask.Upgrade
	if a == nil || a.To.IsZero() {
		return verdict{reasons: refuse(codeMalformed, "the request names no version to upgrade to")}
	}
	v := verdict{received: &events.UpgradeRequested{
		Request: q.req, Upgrade: q.ask.ID, To: a.To, Artefacts: a.Artefacts, Reset: a.Reset,
	}}
	v.reasons = upgradeBlockers(q.state, a, q.knowledge)
	for _, t := range a.Artefacts {
		v.reasons = append(v.reasons, reasonsOf(reader(q.state, q.now).Target(*a, t, newest(q.state)))...)
	}
	if w := q.state.Pending; w != nil && w.ID != q.ask.ID && !a.Reset {
		v.reasons = append(v.reasons, events.Reason{Code: codeConflict, About: []string{w.ID}, Text: waits(w.ID, w.Agreed, w.Needed) + "; approve it, or drop it with --reset-previous-upgrade"})
	}
	if len(v.reasons) > 0 {
		return v
	}
	if w := q.state.Pending; w != nil && w.ID != q.ask.ID {
		v.decided = append(v.decided, &events.UpgradeAborted{Upgrade: w.ID, Request: q.ask.ID})
	}
	if u := q.state.Upgrade; u != nil {
		v.decided = append(v.decided, supersede(q.state, u.ID, "the upgrade was aborted by request "+q.ask.ID)...)
		v.decided = append(v.decided, &events.UpgradeAborted{Upgrade: u.ID, Request: q.ask.ID})
	}
	v.decided = append(v.decided, &events.UpgradeAccepted{
		Upgrade: q.ask.ID, From: q.state.AgentVersion, To: a.To, Machines: rollout.Sequence(q.state),
	})
	return q.agreement(v)
}

// newest is the newest version that a machine runs: to go to what is older than that is a
// rollback there.
func newest(s *projections.State) version.Number {
	ids := aliveMachines(s)
	if len(ids) == 0 {
		return s.AgentVersion
	}
	return s.Machines[slices.MaxFunc(ids, func(a, b string) int { return s.Machines[a].Version.Number.Compare(s.Machines[b].Version.Number) })].Version.Number
}

// maxSuperseded is how many orders an abort withdraws at once; the planner goes on.
const maxSuperseded = 500

// supersede withdraws the open orders of an upgrade, or the first maxSuperseded of them.
func supersede(s *projections.State, upgrade, reason string) []events.Payload {
	var withdrawn []events.Payload
	for _, id := range sortedMachines(s) {
		if o := s.Orders[id]; o != nil && o.Upgrade == upgrade && o.Kind == projections.OrderUpgrade && len(withdrawn) < maxSuperseded {
			withdrawn = append(withdrawn, &events.OrderSuperseded{Order: o.ID, Machine: id, Reason: reason})
		}
	}
	return withdrawn
}

func sortedMachines(s *projections.State) []string {
	ids := make([]string, 0, len(s.Machines))
	for id := range s.Machines {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, projections.CompareNames)
	return ids
}

// upgradeBlockers names everything that forbids the upgrade now.
func upgradeBlockers(s *projections.State, a *events.AskUpgrade, know knowledge) []events.Reason {
	var reasons []events.Reason
	add := func(code string, about []string, format string, args ...any) {
		reasons = append(reasons, events.Reason{Code: code, Text: fmt.Sprintf(format, args...), About: about})
	}
	current := s.AgentVersion
	if odd := mismatched(s, a.To); len(odd) > 0 && a.To != current {
		add(codeAgentMismatch, odd, "these agents run neither %s nor %s: %s; bring them to %s first (juju upgrade-juju --version %s)",
			current, a.To, strings.Join(odd, ", "), current, current)
	}
	if u := s.Upgrade; u != nil && !a.Reset {
		state := "is in progress"
		if len(u.Halted) > 0 {
			state = "was halted"
		}
		add(codeConflict, []string{u.ID}, "upgrade %s to %s %s; wait for it, or abort it with --reset-previous-upgrade", u.ID, u.To, state)
	}
	if a.Client.Major != a.To.Major {
		add(codeClientMajor, nil, "a client of version %s cannot set version %s; use a client of major version %d", a.Client, a.To, a.To.Major)
	}
	switch {
	case a.To.Major < current.Major:
		add(codeLowerMajor, nil, "version %s is of a lower major version than %s", a.To, current)
	case a.To.Major == current.Major && a.To.Minor < current.Minor:
		add(codeLowerMinor, nil, "version %s is of a lower minor version than %s", a.To, current)
	}
	if len(aliveMachines(s)) == 0 {
		add(codeNoMachines, nil, "no machine is enrolled")
	} else if a.To == current && everybodyRuns(s, current) && (s.Upgrade == nil || s.Upgrade.To == current) {
		add(codeNothing, nil, "every agent runs %s already", current)
	}
	reasons = append(reasons, marked(current, a.To, know.marks)...)
	reasons = append(reasons, unsigned(a, know.signed)...)
	return append(reasons, missingTools(s, a, know.have)...)
}

// unsigned names the archives that release managers have not signed, have signed otherwise,
// or have taken back.
func unsigned(a *events.AskUpgrade, signed func(tools.Tools) error) []events.Reason {
	var reasons []events.Reason
	for _, t := range a.Artefacts {
		var refusal *events.Reason
		if errors.As(signed(t), &refusal) {
			reasons = append(reasons, refuse(refusal.Code, "%s; juju sync-tools --version %d.%d signs it, with a release manager's key", refusal.Text, a.To.Major, a.To.Minor)...)
		}
	}
	return reasons
}

// marked is what publishers say against a move between two versions.
func marked(from, to version.Number, marks map[version.Number]tools.Marks) []events.Reason {
	var reasons []events.Reason
	if why := marks[to].Revoked; why != "" {
		reasons = append(reasons, refuse(version.CodeRevoked, "version %s is revoked: %s", to, why)...)
	}
	if to.Compare(from) <= 0 {
		return reasons
	}
	if marks[from].DeadEnd {
		reasons = append(reasons, refuse(version.CodeDeadEnd, "%s is a dead end: nothing newer can be reached from it by an upgrade", from)...)
	}
	var floors []version.Number
	for n, m := range marks {
		if m.Floor && n.Compare(from) > 0 && n.Compare(to) < 0 && n.Tag == "" {
			floors = append(floors, n)
		}
	}
	if len(floors) > 0 {
		floor := slices.MinFunc(floors, version.Number.Compare)
		reasons = append(reasons, refuse(version.CodeBehindFloor, "version %s cannot be reached at once: %s must be passed through first (juju upgrade-juju --version %s)", to, floor, floor)...)
	}
	return reasons
}

// missingTools names, for each platform in use, the machines that would be left without
// an archive of the wanted version.
func missingTools(s *projections.State, a *events.AskUpgrade, have func(tools.Tools) bool) []events.Reason {
	named := map[string]tools.Tools{} // by platform
	for _, t := range a.Artefacts {
		if t.Version.Number == a.To {
			named[t.Version.Platform()] = t
		}
	}
	without := map[string][]string{}
	for _, id := range aliveMachines(s) {
		platform := s.Machines[id].Version.Platform()
		if t, ok := named[platform]; !ok || !have(t) {
			without[platform] = append(without[platform], events.MachineTag(id))
		}
	}
	var reasons []events.Reason
	for _, platform := range sortedKeys(without) {
		tags := without[platform]
		reasons = append(reasons, events.Reason{Code: codeNoTools, About: tags, Text: fmt.Sprintf(
			"no tools %s-%s are stored for %s; run juju sync-tools --version %d.%d",
			a.To, platform, strings.Join(tags, ", "), a.To.Major, a.To.Minor)})
	}
	return reasons
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// aliveMachines are the ids of the enrolled machines, sorted.
func aliveMachines(s *projections.State) []string {
	return slices.DeleteFunc(sortedMachines(s), func(id string) bool { return s.Machines[id].Life != projections.LifeAlive })
}

// mismatched are the tags of agents whose version an upgrade to the wanted one cannot
// start from: neither the environment's, nor the wanted, nor one that an earlier upgrade
// has left behind. All earlier ones count: machines that two aborted upgrades left on two
// versions, with no way back, must not be out of reach of every request.
func mismatched(s *projections.State, to version.Number) []string {
	allowed := []version.Number{s.AgentVersion, to}
	if s.Upgrade != nil {
		allowed = append(allowed, s.Upgrade.To)
	}
	for _, past := range s.Past {
		allowed = append(allowed, past.To, past.From)
	}
	var odd []string
	for _, id := range aliveMachines(s) {
		if !slices.Contains(allowed, s.Machines[id].Version.Number) {
			odd = append(odd, events.MachineTag(id))
		}
	}
	for _, name := range sortedKeys(s.Units) {
		u := s.Units[name]
		if !u.Version.IsZero() && !slices.Contains(allowed, u.Version) {
			odd = append(odd, events.UnitTag(name))
		}
	}
	return odd
}

func everybodyRuns(s *projections.State, v version.Number) bool {
	return !slices.ContainsFunc(aliveMachines(s), func(id string) bool {
		m := s.Machines[id]
		return m.Version.Number != v || m.Adrift != "" || m.Unproven
	})
}
