package decide

import (
	"fmt"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/rollout"
)

// maxOrders is how many orders one plan issues, and how many it withdraws; the next one
// goes on.
const maxOrders = 200

// Fetch is how fetching an archive goes.
type Fetch struct {
	Since    time.Time // the first try
	UnderWay bool
	Err      error // of the last try; nil: none has failed
	Hopeless bool  // another try would end in the same way: the bytes are wrong
}

// gaveUp is why an archive will not come: it is not what it should be, or it could not be had
// for as long as patience. nil: it may come.
func (f Fetch) gaveUp(now time.Time, patience time.Duration) error {
	if f.UnderWay || !f.Hopeless && now.Sub(f.Since) < patience {
		return nil
	}
	return f.Err
}

// Outlook is what a plan looks at beside the state.
type Outlook struct {
	Committed uint64           // the log's end before the batch that the plan goes into
	Fetches   map[string]Fetch // by sha256 of the archive; none: nobody tried
	Warrants  *Warrants        // kept from plan to plan
}

// Plan lets the upgrade in progress go on: it says the orders, the halt or the completion
// that rollout.Plan finds, in the same batch as what made them due. Archives that are not
// stored yet are wanted first; their arrival plans again. What waited too long for approval is
// refused. A plan that is made twice on the
// same state is the same.
func Plan(at At, look Outlook) Decision {
	d := Decision{Facts: append(orphans(at.State), lapsed(at.State, at.Now)...)}
	u := at.State.Upgrade
	if u == nil {
		return d
	}
	plan := rollout.Plan(at.State, rollout.PolicyOf(at.State))
	switch {
	case len(plan.Halt) > 0:
		d.Facts = append(d.Facts, halt(u, plan.Halt))
	case plan.Complete:
		d.Facts = append(d.Facts, ofUpgrade(u, &events.UpgradeCompleted{Upgrade: u.ID, Version: u.To}))
	case len(plan.Order) > 0 && look.Committed < u.Seq:
		d.Again = true // no proof can be made for a request that is not in the log yet
	default:
		d.order(at, look, u, plan.Order[:min(len(plan.Order), maxOrders)])
	}
	return d
}

// order issues orders to machines, or halts the upgrade if one of them can never get its own.
func (d *Decision) order(at At, look Outlook, u *projections.Upgrade, ids []string) {
	withdrawn := len(d.Facts)
	for _, id := range ids {
		fact, want, never := orderFor(at, look, u, at.State.Machines[id])
		switch {
		case never != nil:
			d.Facts = append(d.Facts[:withdrawn], halt(u, []events.Reason{*never}))
			d.Wants = nil
			if want != nil {
				d.Wants = []Want{want}
			}
			return
		case want != nil:
			d.Wants = append(d.Wants, want)
		default:
			d.Facts = append(d.Facts, fact)
		}
	}
}

// orderFor is the order for one machine; or what is wanted first; or why it never comes.
func orderFor(at At, look Outlook, u *projections.Upgrade, m *projections.Machine) (f Fact, want Want, never *events.Reason) {
	about := []string{events.MachineTag(m.ID)}
	archive := u.Artefacts[m.Version.Platform()]
	set := at.State.Settings
	patience := settings.Duration(set, "upgrade-order-timeout")
	if stored := at.State.Tools[archive.Version.String()]; stored == nil || stored.SHA256 != archive.SHA256 {
		if err := look.Fetches[archive.SHA256].gaveUp(at.Now, patience); err != nil {
			return f, ForgetFetch{archive.SHA256}, &events.Reason{Code: version.CodeNoTools, About: about, Text: fmt.Sprintf("tools %s cannot be had: %v",
				archive.Version, err)}
		}
		return f, FetchTools{archive}, nil
	}
	w, err := look.Warrants.of(u, m.ID)
	if err != nil {
		return f, nil, &events.Reason{Code: events.CodeMachinesChanged, About: about, Text: fmt.Sprintf("the request does not let machine %s do anything: %v",
			m.ID, err)}
	}
	f = ofUpgrade(u, &events.OrderIssued{
		Order: at.NewID(), Upgrade: u.ID, Machine: m.ID, From: m.Version.Number, Tools: archive, Expires: at.Now.Add(patience),
		Health: settings.Duration(set, "upgrade-health-window").Milliseconds(), Warrant: w,
		Rate: settings.Number(set, "agent-download-rate"), Resolved: m.Resolved,
	})
	f.Proof = &Inclusion{Machine: m.ID, Seq: u.Seq, Heads: m.Heads}
	return f, nil, nil
}

func ofUpgrade(u *projections.Upgrade, p events.Payload) Fact {
	return Fact{Cause: u.ID, Correlation: u.ID, Payload: p}
}

func halt(u *projections.Upgrade, reasons []events.Reason) Fact {
	return ofUpgrade(u, &events.UpgradeHalted{Upgrade: u.ID, Reasons: reasons})
}

// orphans closes open orders whose upgrade was aborted, where there were more of them than
// its abort could withdraw at once.
func orphans(s *projections.State) (withdrawn []Fact) {
	for _, id := range sortedKeys(s.Orders) {
		o := s.Orders[id]
		if o.Kind != projections.OrderUpgrade || (s.Upgrade != nil && s.Upgrade.ID == o.Upgrade) || len(withdrawn) == maxOrders {
			continue
		}
		reason := "upgrade " + o.Upgrade + " is not in progress any more"
		withdrawn = append(withdrawn, Fact{Cause: o.ID, Correlation: o.Upgrade, Payload: &events.OrderSuperseded{Order: o.ID, Machine: id, Reason: reason}})
	}
	return withdrawn
}

// Warrants remembers the list of the machines of the upgrade in progress, from which each
// order proves that its machine is on it: making it again for each batch would cost more than
// the rest of a plan. It depends on the upgrade alone, so remembering it changes no plan. The
// zero value remembers none. One goroutine uses it at a time.
type Warrants struct {
	upgrade string
	list    *warrant.List
}

// of is a machine's warrant in an upgrade.
func (w *Warrants) of(u *projections.Upgrade, id string) (events.Warrant, error) {
	if w.upgrade != u.ID {
		members := make([]warrant.Machine, 0, len(u.Machines))
		for _, id := range sortedNames(u.Machines) {
			members = append(members, warrant.Machine{ID: id, Key: u.Keys[id]})
		}
		list, err := warrant.NewList(members)
		if err != nil {
			return events.Warrant{}, err
		}
		w.upgrade, w.list = u.ID, list
	}
	return w.list.Prove(events.Warrant{Request: u.Signed, Approvals: u.Approvals}, id)
}

// sortedNames is a copy in the order in which requests name machines.
func sortedNames(ids []string) []string {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, projections.CompareNames)
	return sorted
}
