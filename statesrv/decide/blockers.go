package decide

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
)

// Blockers names everything that forbids the upgrade now.
func Blockers(s *projections.State, a *events.AskUpgrade, know Known) []events.Reason {
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
		add(version.CodeClientOlder, nil, "a client of version %s cannot set version %s; use a client of major version %d", a.Client, a.To, a.To.Major)
	}
	switch {
	case a.To.Major < current.Major:
		add(version.CodeLowerMajor, nil, "version %s is of a lower major version than %s", a.To, current)
	case a.To.Major == current.Major && a.To.Minor < current.Minor:
		add(version.CodeLowerMinor, nil, "version %s is of a lower minor version than %s", a.To, current)
	case len(newer(s, a.To)) > 0 && !a.Rollback:
		back := newer(s, a.To)
		add(events.CodeFloor, back, "version %s is older than what these agents run: %s; if they shall go back to it: juju upgrade-juju --version %s --rollback",
			a.To, strings.Join(back, ", "), a.To)
	}
	if len(targets.Alive(s)) == 0 {
		add(codeNoMachines, nil, "no machine is enrolled")
	} else if a.To == current && everybodyRuns(s, current) && (s.Upgrade == nil || s.Upgrade.To == current) {
		add(events.CodeNothingToDo, nil, "every agent runs %s already", current)
	}
	reasons = append(reasons, marked(current, a.To, MarksOf(s, know.Marks))...)
	reasons = append(reasons, unsigned(a, know.Signed)...)
	return append(reasons, missingTools(s, a, know)...)
}

// unsigned names the archives that release managers have not signed, have signed otherwise,
// or have taken back.
func unsigned(a *events.AskUpgrade, list ArchiveList) []events.Reason {
	var reasons []events.Reason
	for _, t := range a.Artefacts {
		var refusal *events.Reason
		if errors.As(list.Tools(t), &refusal) {
			reasons = append(reasons, refuse(refusal.Code, "%s; juju sync-tools --version %d.%d signs it, with a release manager's key",
				refusal.Text, a.To.Major, a.To.Minor)...)
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
		reasons = append(reasons, refuse(version.CodeBehindFloor, "version %s cannot be reached at once: %s must be passed through first (juju upgrade-juju "+
			"--version %s)",
			to, floor, floor)...)
	}
	return reasons
}

// missingTools names, for each platform in use, the machines that would be left without
// an archive of the wanted version.
func missingTools(s *projections.State, a *events.AskUpgrade, know Known) []events.Reason {
	named := map[string]tools.Tools{} // by platform
	for _, t := range a.Artefacts {
		if t.Version.Number == a.To {
			named[t.Version.Platform()] = t
		}
	}
	without := map[string][]string{}
	for _, id := range targets.Alive(s) {
		platform := s.Machines[id].Version.Platform()
		if t, ok := named[platform]; !ok || !know.Has(s, t) {
			without[platform] = append(without[platform], events.MachineTag(id))
		}
	}
	var reasons []events.Reason
	for _, platform := range sortedKeys(without) {
		tags := without[platform]
		reasons = append(reasons, events.Reason{Code: version.CodeNoTools, About: tags, Text: fmt.Sprintf(
			"no tools %s-%s are stored for %s; run juju sync-tools --version %d.%d",
			a.To, platform, strings.Join(tags, ", "), a.To.Major, a.To.Minor)})
	}
	return reasons
}

// mismatched are the tags of agents whose version an upgrade to the wanted one cannot
// start from: neither the environment's, nor the wanted, nor one that an earlier upgrade
// has left behind. All earlier upgrades count. Otherwise, if two aborted upgrades had left machines on
// two versions, no request could reach both.
func mismatched(s *projections.State, to version.Number) []string {
	allowed := []version.Number{s.AgentVersion, to}
	if s.Upgrade != nil {
		allowed = append(allowed, s.Upgrade.To)
	}
	for _, past := range s.Past {
		allowed = append(allowed, past.To, past.From)
	}
	var odd []string
	for _, id := range targets.Alive(s) {
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

// newer are the tags of machines that run a newer version: for them the upgrade is a
// rollback, which each of them refuses unless the operator signed that it is one.
func newer(s *projections.State, than version.Number) []string {
	var tags []string
	for _, id := range targets.Alive(s) {
		if s.Machines[id].Version.Number.Compare(than) > 0 {
			tags = append(tags, events.MachineTag(id))
		}
	}
	return tags
}

func everybodyRuns(s *projections.State, v version.Number) bool {
	return !slices.ContainsFunc(targets.Alive(s), func(id string) bool {
		m := s.Machines[id]
		return m.Version.Number != v || m.Adrift != "" || m.Unproven
	})
}

// Has says whether an archive is stored or offered. Other bytes that are stored under its version are no
// obstacle: what release managers have not signed gives way.
func (k Known) Has(s *projections.State, t tools.Tools) bool {
	stored := s.Tools[t.Version.String()]
	return stored != nil && stored.SHA256 == t.SHA256 || k.Offered[t.SHA256]
}

// MarksOf are the marks that hold for each version: those in the log together with those that the sources
// show now.
func MarksOf(s *projections.State, offered map[version.Number]tools.Marks) map[version.Number]tools.Marks {
	all := map[version.Number]tools.Marks{}
	maps.Copy(all, offered)
	for text := range s.Marks {
		if n, err := version.Parse(text); err == nil && s.Marks.Of(n) != (tools.Marks{}) {
			all[n] = all[n].Or(s.Marks.Of(n))
		}
	}
	return all
}
