package statesrv

import (
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/rollout"
)

// maxOrders is how many orders one batch issues; the next batch issues the next.
const maxOrders = 200

// planUpgrade lets the upgrade in progress go on: it adds the orders, the halt or the
// completion that rollout.Plan says, in the same batch as what made them due. Archives
// that are not stored yet are fetched first; their arrival plans again.
func (s *Server) planUpgrade(d *draft) error {
	u := d.state.Upgrade
	if u == nil {
		return nil
	}
	plan := rollout.Plan(d.state, rollout.PolicyOf(d.state))
	cause := u.ID
	switch {
	case len(plan.Halt) > 0:
		_, err := d.add("", cause, u.ID, &events.UpgradeHalted{Upgrade: u.ID, Reasons: plan.Halt})
		return err
	case plan.Complete:
		_, err := d.add("", cause, u.ID, &events.UpgradeCompleted{Upgrade: u.ID, Version: u.To})
		return err
	}
	for _, id := range plan.Order[:min(len(plan.Order), maxOrders)] {
		order := s.orderFor(d, u, id)
		if order == nil {
			continue
		}
		if _, err := d.add("", cause, u.ID, order); err != nil {
			return err
		}
	}
	return nil
}

// orderFor is the order for one machine, or nil while its archive is on its way.
func (s *Server) orderFor(d *draft, u *projections.Upgrade, id string) *events.OrderIssued {
	m := d.state.Machines[id]
	t := u.Artefacts[m.Version.Platform()]
	if stored := d.state.Tools[t.Version.String()]; stored == nil || stored.SHA256 != t.SHA256 {
		s.tools.want(t)
		return nil
	}
	return &events.OrderIssued{
		Order: d.newID(), Upgrade: u.ID, Machine: id, From: m.Version.Number, Tools: t,
		Expires: d.now.Add(durationOf(d.state, "upgrade-order-timeout")),
		Health:  durationOf(d.state, "upgrade-health-window").Milliseconds(), Signed: u.Signed,
	}
}
