package status

import (
	"fmt"
	"maps"
	"slices"

	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
)

// Make gives the status of a state. It does not change s and keeps nothing of it.
func Make(s *projections.State) Status {
	st := Status{
		Environment: Environment{Name: s.Name, UUID: s.UUID, AgentVersion: number(s.AgentVersion)},
		EnvironmentStatus: EnvironmentStatus{
			UpgradeAvailable: number(newestPatch(s)), LostSources: lostSources(s), Trust: makeTrust(s),
		},
		Upgrade:  makeUpgrade(s),
		Requests: makeRequests(s),
		Machines: ordered(s.Machines, func(m *projections.Machine) Machine { return makeMachine(s, m) }),
		Services: makeServices(s),
		Log:      Log{Position: s.Seq, Time: stamp(s.Time), Skipped: s.SkippedCount(), Disbelieved: s.DisbelievedCount()},
	}
	if n := len(s.Past); n > 0 {
		p := s.Past[n-1]
		st.LastUpgrade = &LastUpgrade{
			ID: p.ID, Operator: p.Operator, From: number(p.From), Target: number(p.To),
			Outcome: p.Outcome, Ended: stamp(p.Ended),
		}
	}
	return st
}

func number(n version.Number) string {
	if n.IsZero() {
		return ""
	}
	return n.String()
}

// lostSources are the sources that cannot be read, each with the command that brings tools without them.
func lostSources(s *projections.State) []LostSource {
	next := "juju sync-tools"
	if u := s.Upgrade; u != nil {
		next = fmt.Sprintf("juju sync-tools --version %d.%d", u.To.Major, u.To.Minor)
	}
	var lost []LostSource
	for _, name := range slices.Sorted(maps.Keys(s.Lost)) {
		l := s.Lost[name]
		lost = append(lost, LostSource{Source: name, Reason: l.Reason, Since: stamp(l.Since), Next: next})
	}
	return lost
}

// makeTrust gives the zero TrustStatus if nothing was published yet.
func makeTrust(s *projections.State) TrustStatus {
	t := s.Trust
	if t.Seq == 0 {
		return TrustStatus{}
	}
	state := TrustFresh
	switch life := t.Fresh.Sub(t.Time); {
	case !s.Time.Before(t.Fresh) || !s.Time.Before(t.Expires):
		state = TrustExpired
	case s.Time.Sub(t.Time) >= life*4/5:
		state = TrustStale
	}
	return TrustStatus{State: state, Root: t.Version.Root, Targets: t.Version.Targets, Fresh: stamp(t.Fresh), Holds: stamp(t.Expires)}
}

// newestPatch is the newest stored version of the environment's major.minor that is newer than the
// environment's and neither revoked nor a dead end; zero: there is none. Source: Juju 1.25,
// upgrade-available.
func newestPatch(s *projections.State) version.Number {
	newest := s.AgentVersion
	for _, t := range s.Tools {
		n := t.Version.Number
		if m := s.Marks.Of(n); m.Revoked != "" || m.DeadEnd {
			continue
		}
		if n.Major == newest.Major && n.Minor == newest.Minor && n.Compare(newest) > 0 {
			newest = n
		}
	}
	if newest == s.AgentVersion {
		return version.Number{}
	}
	return newest
}
