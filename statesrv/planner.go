package statesrv

import (
	"fmt"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/rollout"
)

// maxOrders is how many orders one batch issues or withdraws; the next one goes on.
const maxOrders = 200

// planUpgrade lets the upgrade in progress go on: it adds the orders, the halt or the
// completion that rollout.Plan says, in the same batch as what made them due. Archives
// that are not stored yet are fetched first; their arrival plans again.
func (t *term) planUpgrade(d *draft) error {
	if err := withdrawOrphans(d); err != nil {
		return err
	}
	u := d.state.Upgrade
	if u == nil {
		return nil
	}
	plan := rollout.Plan(d.state, rollout.PolicyOf(d.state))
	switch {
	case len(plan.Halt) > 0:
		return halt(d, u, plan.Halt)
	case plan.Complete:
		_, err := d.add("", u.ID, u.ID, &events.UpgradeCompleted{Upgrade: u.ID, Version: u.To})
		return err
	}
	if len(plan.Order) > 0 && d.committed < u.Seq {
		d.again = true // no proof can be made for a request that is not in the log yet
		return nil
	}
	for _, id := range plan.Order[:min(len(plan.Order), maxOrders)] {
		order, unavailable := t.orderFor(d, u, id)
		if unavailable != nil {
			d.drop()
			return halt(d, u, []events.Reason{*unavailable})
		}
		if order == nil {
			continue
		}
		if _, err := d.add("", u.ID, u.ID, order); err != nil {
			return err
		}
	}
	return nil
}

func halt(d *draft, u *projections.Upgrade, reasons []events.Reason) error {
	_, err := d.add("", u.ID, u.ID, &events.UpgradeHalted{Upgrade: u.ID, Reasons: reasons})
	return err
}

// withdrawOrphans closes open orders whose upgrade was aborted, where there were more of
// them than its abort could withdraw at once.
func withdrawOrphans(d *draft) error {
	withdrawn := 0
	for _, id := range sortedKeys(d.state.Orders) {
		o := d.state.Orders[id]
		if o.Kind != projections.OrderUpgrade || (d.state.Upgrade != nil && d.state.Upgrade.ID == o.Upgrade) {
			continue
		}
		reason := "upgrade " + o.Upgrade + " is not in progress any more"
		if _, err := d.add("", o.ID, o.Upgrade, &events.OrderSuperseded{Order: o.ID, Machine: id, Reason: reason}); err != nil {
			return err
		}
		if withdrawn++; withdrawn == maxOrders {
			return nil
		}
	}
	return nil
}

// proofFor proves to a machine that the request of an upgrade lies in the log, whichever
// of the checkpoints that it was given it remembers.
func (t *term) proofFor(u *projections.Upgrade, m *projections.Machine) (tree.Proof, error) {
	if t.asked.Seq != u.Seq {
		for stored, err := range t.log.Stored(t.ctx, u.Seq, u.Seq) {
			if err != nil {
				return tree.Proof{}, err
			}
			t.asked = stored
		}
	}
	return t.keeper.prove(t.asked, append(t.presence.heads(m.ID), m.Heads...), t.cfg.Now())
}

// orderFor is the order for one machine. It is nil while its archive is on its way; the
// reason says why that will not come.
func (t *term) orderFor(d *draft, u *projections.Upgrade, id string) (*events.OrderIssued, *events.Reason) {
	m := d.state.Machines[id]
	wanted := u.Artefacts[m.Version.Platform()]
	patience := settings.Duration(d.state.Settings, "upgrade-order-timeout")
	if stored := d.state.Tools[wanted.Version.String()]; stored == nil || stored.SHA256 != wanted.SHA256 {
		if err := t.tools.gaveUp(wanted, patience); err != nil {
			return nil, &events.Reason{Code: codeNoTools, About: []string{events.MachineTag(id)}, Text: fmt.Sprintf("tools %s cannot be had: %v", wanted.Version, err)}
		}
		t.tools.want(wanted)
		return nil, nil
	}
	w, err := t.warrants.of(u, id)
	if err != nil {
		return nil, &events.Reason{Code: codeMachinesChanged, About: []string{events.MachineTag(id)}, Text: fmt.Sprintf("the request does not let machine %s do anything: %v", id, err)}
	}
	proof, err := t.proofFor(u, m)
	if err != nil {
		t.cfg.Logger.Error("proving that an upgrade was asked for; trying again", "upgrade", u.ID, "machine", id, "err", err)
		return nil, nil
	}
	return &events.OrderIssued{
		Log:   proof,
		Order: d.newID(), Upgrade: u.ID, Machine: id, From: m.Version.Number, Tools: wanted, Expires: d.now.Add(patience),
		Health: settings.Duration(d.state.Settings, "upgrade-health-window").Milliseconds(), Warrant: w,
		Rate: settings.Number(d.state.Settings, "agent-download-rate"), Resolved: m.Resolved,
	}, nil
}
