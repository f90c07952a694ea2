package status

import (
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/rollout"
)

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

// agentState is the state of a machine's agent, as if the machine were not lost. A failure makes the state
// AgentError as long as its upgrade is in progress. After that it stands in info only.
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
	if m.Fork != "" {
		return AgentError, "obeys no order (" + tree.CodeFork + "): " + m.Fork
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

// noReturn says that a machine does not go back to its old version by itself any more, if that is so.
func noReturn(m *projections.Machine) string {
	if m.NoReturn == nil {
		return ""
	}
	return "; no way back: the step \"" + m.NoReturn.Step + "\" cannot be undone"
}

// refuses names the versions that a machine refuses, if there are any.
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
