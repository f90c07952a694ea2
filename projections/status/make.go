package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/rollout"
)

// Make gives the status of a state. It does not change s and keeps nothing of it.
func Make(s *projections.State) Status {
	st := Status{
		Environment: Environment{Name: s.Name, UUID: s.UUID, AgentVersion: number(s.AgentVersion)},
		EnvironmentStatus: EnvironmentStatus{
			UpgradeAvailable: number(newestPatch(s)), LostSources: lostSources(s), Trust: makeTrust(s),
		},
		Upgrade:  makeUpgrade(s),
		Machines: ordered(s.Machines, func(m *projections.Machine) Machine { return makeMachine(s, m) }),
		Services: makeServices(s),
		Log:      Log{Position: s.Seq, Time: stamp(s.Time), Skipped: s.SkippedCount()},
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

// lostSources are the sources that cannot be read, and how tools come in all the same.
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

// makeTrust is zero where nothing was published yet.
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

// newestPatch is the newest stored number above the environment's, of the same
// major.minor, that is neither revoked nor a dead end. Source: Juju 1.25's
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

func makeMachine(s *projections.State, m *projections.Machine) Machine {
	state, info := agentState(s, m)
	if m.Lost {
		state, info = AgentDown, join("("+state+")", info)
	}
	out := Machine{
		AgentState: state, AgentStateInfo: info, AgentVersion: number(m.Version.Number),
		DNSName: m.Hostname, Life: m.Life, Series: m.Version.Series, Since: stamp(m.Since), Denied: makeDenied(m), Labels: m.Labels,
	}
	if m.Version.Arch != "" {
		out.Hardware = "arch=" + m.Version.Arch
	}
	if m.StateServer && m.Life == projections.LifeAlive {
		out.MemberStatus = "has-vote"
	}
	return out
}

// agentState is the state of a machine's agent as long as it is heard. A failure is an
// error while the upgrade that it belongs to is open; after that it is a remark.
func agentState(s *projections.State, m *projections.Machine) (state, info string) {
	switch m.Life {
	case projections.LifeInvited:
		return AgentPending, "waits for its host to join until " + stamp(m.Expires)
	case projections.LifeQuarantined:
		return AgentError, "is shut out: " + m.Quarantine + "; juju approve-machine " + m.ID + " lets it in again"
	case projections.LifePending:
		return AgentPending, "waits for juju approve-machine " + m.ID + ": " + m.Pending
	}
	if m.Started.IsZero() {
		return AgentPending, "waits for the first start of its agent"
	}
	if o := s.Orders[m.ID]; o != nil {
		return AgentStarted, rollout.Progress(o) + noReturn(m)
	}
	if m.Failure == nil {
		return AgentStarted, refuses(m) + noReturn(m)
	}
	info = failure(m.Failure) + noReturn(m)
	if len(m.Denied) > 0 {
		info += "; " + refuses(m)
	}
	if u := s.Upgrade; u != nil && u.Done[m.ID] != "" && u.To == m.Failure.To {
		return AgentError, info
	}
	return AgentStarted, info
}

// noReturn says that a machine on trial does not go back by itself any more.
func noReturn(m *projections.Machine) string {
	if m.NoReturn == nil {
		return ""
	}
	return "; no way back: the step \"" + m.NoReturn.Step + "\" cannot be undone"
}

// refuses names the versions that failed here by their own fault.
func refuses(m *projections.Machine) string {
	if len(m.Denied) == 0 {
		return ""
	}
	var names []string
	for _, d := range m.Denied {
		names = append(names, d.Tools.Version.Number.String())
	}
	return "refuses " + strings.Join(names, ", ") + " until juju resolved " + m.ID
}

func makeDenied(m *projections.Machine) []Denied {
	var list []Denied
	for _, d := range m.Denied {
		list = append(list, Denied{Version: d.Tools.Version.String(), SHA256: d.Tools.SHA256, Reason: d.Why, Since: stamp(d.Time)})
	}
	return list
}

func failure(f *projections.Failed) string {
	what := "failed"
	if f.RolledBack {
		what = "was rolled back"
	}
	return fmt.Sprintf("upgrade to %s %s at %s: %s (%s)", f.To, what, f.Step, f.Text, f.Code)
}

func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + " " + b
}

func makeUpgrade(s *projections.State) *Upgrade {
	u := s.Upgrade
	if u == nil {
		return makePending(s.Pending)
	}
	plan := rollout.Plan(s, rollout.PolicyOf(s))
	out := &Upgrade{
		ID: u.ID, Operator: u.Operator, From: number(u.From), Target: number(u.To),
		State: InProgress, Started: stamp(u.Started),
		Blockers: []events.Reason{}, Waiting: []Waiting{},
	}
	if len(u.Halted) > 0 {
		out.State = Halted
	}
	out.Blockers = append(append(out.Blockers, u.Halted...), plan.Halt...)
	out.count(plan)
	for _, binary := range slices.Sorted(maps.Keys(u.Missed)) {
		out.Blockers = append(out.Blockers, events.Reason{
			Code: events.CodeToolsMissed, Text: fmt.Sprintf("tools %s cannot be fetched (will retry): %s; a client can hand them over: juju sync-tools "+
				"--version %d.%d", binary, u.Missed[binary], u.To.Major, u.To.Minor),
		})
	}
	out.LastError = lastError(s, u)
	return out
}

// makePending is an upgrade that waits for operators who agree.
func makePending(w *projections.Pending) *Upgrade {
	if w == nil {
		return nil
	}
	return &Upgrade{
		ID: w.ID, Operator: w.Operator, Target: number(w.To), State: PendingApproval, Waiting: []Waiting{},
		Blockers: []events.Reason{{Code: events.CodePendingApproval, Text: fmt.Sprintf(
			"%d of %d operators agree (%s); another one may: juju approve-upgrade %s", len(w.Agreed), w.Needed, strings.Join(w.Agreed, ", "), w.ID)}},
	}
}

// count sorts the steps of the plan into numbers, blockers and those that wait.
func (u *Upgrade) count(plan rollout.Result) {
	reasons := map[string]int{} // reason → its place in Waiting
	for _, st := range plan.Machines {
		if st.Action != rollout.Gone {
			u.Progress.Total++
		}
		switch st.Action {
		case rollout.Done:
			u.Progress.Done++
		case rollout.InFlight:
			u.Progress.InFlight++
		case rollout.Failed:
			u.Progress.Failed++
		case rollout.Blocked:
			tag := events.MachineTag(st.Machine)
			u.Blockers = append(u.Blockers, events.Reason{
				Code: events.CodeMachineBlocked, Text: tag + " " + st.Reason, About: []string{tag},
			})
		case rollout.Order, rollout.Wait, rollout.Hold:
			i, ok := reasons[st.Reason]
			if !ok {
				i = len(u.Waiting)
				reasons[st.Reason] = i
				u.Waiting = append(u.Waiting, Waiting{Reason: st.Reason})
			}
			u.Waiting[i].Machines = append(u.Waiting[i].Machines, st.Machine)
		}
	}
}

// lastError is the newest failure among the machines of the upgrade, the first of them
// in the upgrade's order if several came at once.
func lastError(s *projections.State, u *projections.Upgrade) string {
	var last *projections.Failed
	var machine string
	for _, id := range u.Machines {
		m := s.Machines[id]
		if m == nil || m.Failure == nil || m.Failure.To != u.To || m.Failure.Time.Before(u.Started) {
			continue
		}
		if last == nil || m.Failure.Time.After(last.Time) {
			last, machine = m.Failure, id
		}
	}
	if last == nil {
		return ""
	}
	return events.MachineTag(machine) + ": " + failure(last)
}
