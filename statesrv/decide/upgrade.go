package decide

import (
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/rollout"
	"github.com/jujube-project/jujube/projections/targets"
)

// Codes of refused upgrades, in the order in which they are reported.
const (
	codeAgentMismatch = "agent-mismatch"
	codeConflict      = "conflict"
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
	v.reasons = Blockers(q.State, a, q.Known)
	for _, t := range a.Artefacts {
		v.reasons = append(v.reasons, reasonsOf(q.State.Reader(q.Now).Target(*a, t, a.To))...) // Blockers has told whether it is a rollback
	}
	other := q.State.PendingUpgrade()
	if other != nil && other.Request.ID == q.ask.ID {
		other = nil // it is judged again
	}
	if other != nil && !a.Reset {
		v.reasons = append(v.reasons, events.Reason{
			Code: codeConflict, About: []string{other.Request.ID}, Text: waits(other) + "; approve it, or drop it with --reset-previous-upgrade",
		})
	}
	if len(v.reasons) > 0 {
		return v
	}
	if other != nil {
		v.decided = append(v.decided, &events.UpgradeAborted{Upgrade: other.Request.ID, Request: q.ask.ID})
	}
	if u := q.State.Upgrade; u != nil {
		v.decided = append(v.decided, supersede(q.State, u.ID, "the upgrade was aborted by request "+q.ask.ID)...)
		v.decided = append(v.decided, &events.UpgradeAborted{Upgrade: u.ID, Request: q.ask.ID})
	}
	v.decided = append(v.decided, &events.UpgradeAccepted{
		Upgrade: q.ask.ID, From: q.State.AgentVersion, To: a.To, Machines: rollout.Sequence(q.State),
	})
	return v
}

// maxSuperseded is how many orders an abort withdraws at once; the planner goes on.
const maxSuperseded = 500

// supersede withdraws the open orders of an upgrade, or the first maxSuperseded of them.
func supersede(s *projections.State, upgrade, reason string) []events.Payload {
	var withdrawn []events.Payload
	for _, id := range targets.All(s) {
		if o := s.Orders[id]; o != nil && o.Upgrade == upgrade && o.Kind == projections.OrderUpgrade && len(withdrawn) < maxSuperseded {
			withdrawn = append(withdrawn, &events.OrderSuperseded{Order: o.ID, Machine: id, Reason: reason})
		}
	}
	return withdrawn
}
