package projections

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
)

// What must agree between a record and its cause, by kind: see causes.

// wants refuses a record that follows on a request for another action.
func (q asking) wants(actions ...string) *events.Reason {
	if q.Opened != nil || !slices.Contains(actions, q.ask.Action) {
		return differs("%s does not follow from a request for %s", q.rec.Kind, cmpAction(q.ask.Action))
	}
	return nil
}

func cmpAction(action string) string {
	if action == "" {
		return "nothing"
	}
	return action
}

// may refuses what its author may not ask over these machines.
func (q asking) may(ids ...string) *events.Reason {
	machines := make([]warrant.Machine, 0, len(ids))
	for _, id := range ids {
		machines = append(machines, q.member(id))
	}
	return q.allowed(machines)
}

// allowed refuses what its author may not ask over these machines, or to which too few operators agree.
func (q asking) allowed(machines []warrant.Machine) *events.Reason {
	err := warrant.May(q.by, q.ask.Action, machines)
	if err == nil {
		err = q.Reader(q.rec.Time).Enough(events.Warrant{Request: q.Signed, Approvals: q.Approvals}, q.ask, q.by, machines)
	}
	if err != nil {
		return noCause("%v", err)
	}
	return nil
}

func (s *State) member(id string) warrant.Machine {
	if m := s.Machines[id]; m != nil {
		return warrant.Machine{ID: id, Key: m.Key, Labels: events.LabelsOf(m.Labels, m.StateServer)}
	}
	return warrant.Machine{ID: id}
}

// lets refuses a fact that lets a machine run something, and whose warrant is not the request behind it or
// does not name the machine.
func (q asking) lets(w events.Warrant, id string) *events.Reason {
	if !bytes.Equal(w.Request, q.Signed) {
		return differs("its warrant is another request than the one it follows on")
	}
	if !warrant.Names(q.ask, w, q.member(id)) {
		return differs("request %s does not name machine %s", q.ask.ID, id)
	}
	return q.may(id)
}

func settingAsked(q asking, p *events.SettingChanged) *events.Reason {
	if q.Opened != nil {
		if value, ok := q.Opened.Settings[p.Key]; !ok || p.Unset || value != p.Value {
			return differs("the log does not begin with this value of %s", p.Key)
		}
		return nil
	}
	if why := q.wants(events.ActionSetEnv, events.ActionUnsetEnv); why != nil {
		return why
	}
	value, set := q.ask.SetEnv[p.Key]
	if q.ask.Action == events.ActionSetEnv && (!set || p.Unset || value != p.Value) ||
		q.ask.Action == events.ActionUnsetEnv && (!p.Unset || !slices.Contains(q.ask.UnsetEnv, p.Key)) {
		return differs("request %s does not ask for this value of %s", q.ask.ID, p.Key)
	}
	return q.may()
}

func restartRequested(q asking, p *events.RestartRequested) *events.Reason {
	return q.wants(events.ActionRestart)
}

func syncRequested(q asking, p *events.ToolsSyncRequested) *events.Reason {
	if why := q.wants(events.ActionSyncTools); why != nil {
		return why
	}
	if a := q.ask.SyncTools; a == nil || a.Source != p.Source || a.SignedBy != p.SignedBy || a.Unsigned != p.Unsigned || !slices.Equal(a.Wanted, p.Wanted) {
		return differs("request %s announces other tools", q.ask.ID)
	}
	return nil
}

func upgradeRequested(q asking, p *events.UpgradeRequested) *events.Reason {
	if why := q.wants(events.ActionUpgrade); why != nil {
		return why
	}
	if a := q.ask.Upgrade; a == nil || p.Upgrade != q.ask.ID || a.To != p.To || a.Reset != p.Reset || !slices.Equal(a.Artefacts, p.Artefacts) {
		return differs("request %s asks for another upgrade", q.ask.ID)
	}
	return nil
}

func upgradeApproved(q asking, p *events.UpgradeApproved) *events.Reason {
	if w := q.State.Pending[p.Upgrade]; w == nil || w.Upgrade == nil {
		return differs("no upgrade %s waits for approval", p.Upgrade)
	}
	return q.agrees(p.Upgrade)
}

func requestApproved(q asking, p *events.RequestApproved) *events.Reason { return q.agrees(p.Approved) }

// agrees refuses an approval of something else than what waits under that id.
func (q asking) agrees(id string) *events.Reason {
	if why := q.wants(events.ActionApprove); why != nil {
		return why
	}
	if a, w := q.ask.Approve, q.State.Pending[id]; a == nil || w == nil || a.Request != id || a.SHA256 != warrant.Digest(w.Request.Signed) {
		return differs("%s agrees to something else than what waits", q.by.Name)
	}
	return nil
}

func machineInvited(q asking, p *events.MachineInvited) *events.Reason {
	if why := q.wants(events.ActionAddMachine); why != nil {
		return why
	}
	a := q.ask.AddMachine
	if a == nil || q.Facts >= len(a.TokenKeys) || a.TokenKeys[q.Facts] != p.TokenKey || p.Machine != strconv.Itoa(q.NextMachine) || p.StateServer ||
		!maps.Equal(a.Labels, p.Labels) || a.Approve != p.Approve || p.Expires.After(q.rec.Time.Add(time.Duration(a.TTL)*time.Second)) {
		return differs("request %s does not invite machine %s like this", q.ask.ID, p.Machine)
	}
	return q.allowed([]warrant.Machine{{ID: p.Machine, Labels: p.Labels}})
}

// enrolled compares an enrolment, whose signatures are right, with the invitation.
func enrolled(c claim, p *events.MachineEnrolled) *events.Reason {
	r, err := wire.ReadEnrolment(p.Asked)
	m := c.Machines[p.Machine]
	switch {
	case err != nil:
		return noCause("%v", err)
	case m == nil || m.Life != LifeInvited:
		return noCause("nobody is invited as machine %s", p.Machine)
	case r.Environment != c.UUID || r.Machine != p.Machine || r.Key != p.Key || r.TokenKey != m.TokenKey:
		return differs("the host asked to be machine %s of environment %s, with another key or token", r.Machine, r.Environment)
	case p.StateServer != m.StateServer || !maps.Equal(p.Labels, m.Labels):
		return differs("machine %s was invited otherwise", p.Machine)
	case p.Pending == "" && c.MustWait(m, p.Host) != "":
		return differs("machine %s must wait for approval: %s", p.Machine, c.MustWait(m, p.Host))
	}
	return nil
}

func machineApproved(q asking, p *events.MachineApproved) *events.Reason {
	return q.names(events.ActionApproveMachine, q.ask.ApproveMachine, p.Machine)
}

func machineRemoved(q asking, p *events.MachineRemoved) *events.Reason {
	return q.names(events.ActionRemoveMachine, q.ask.RemoveMachine, p.Machine)
}

// names is for a request that is about one machine.
func (q asking) names(action, asked, machine string) *events.Reason {
	if why := q.wants(action); why != nil {
		return why
	}
	if asked != machine {
		return differs("request %s is about machine %s", q.ask.ID, asked)
	}
	return q.may(machine)
}

func machineResolved(q asking, p *events.MachineResolved) *events.Reason {
	if why := q.names(events.ActionResolved, q.ask.Resolved, p.Machine); why != nil {
		return why
	}
	return q.lets(p.Warrant, p.Machine)
}

func unitAdded(q asking, p *events.UnitAdded) *events.Reason {
	if why := q.wants(events.ActionDeploy, events.ActionAddUnit); why != nil {
		return why
	}
	if q.Facts > 0 || q.Units[p.Unit] != nil || !warrant.AsksFor(q.ask, p.UnitSpec) {
		return differs("request %s does not ask for %s with this command, or had its unit before", q.ask.ID, p.Unit)
	}
	return q.lets(p.Warrant, p.Machine)
}

func unitRemoved(q asking, p *events.UnitRemoved) *events.Reason {
	if why := q.wants(events.ActionRemoveUnit, events.ActionRemoveService); why != nil {
		return why
	}
	service, _, _ := strings.Cut(p.Unit, "/")
	u := q.Units[p.Unit]
	if u == nil || q.ask.RemoveUnit != p.Unit && q.ask.RemoveService != service {
		return differs("request %s does not remove %s", q.ask.ID, p.Unit)
	}
	return q.may(u.Machine)
}

// MayStore says why an archive is not to be recorded as stored; nil: an accepted request announced it, or
// it belongs to the upgrade in progress, or release managers signed it. request is the id of that request;
// empty: the state server fetched it.
func (s *State) MayStore(p events.ToolsStored, request string) *events.Reason {
	if s.Root == "" {
		return nil
	}
	if o := s.Requests[request]; request != "" {
		a := o.Announced
		if o.Outcome != OutcomeAccepted || a == nil || a.Source != p.Source || a.SignedBy != p.SignedBy || a.Unsigned != p.Unsigned ||
			!slices.Contains(a.Wanted, p.Tools.Version) {
			return differs("no accepted sync-tools request %q announced %s like this", request, p.Tools.Version)
		}
		return nil
	}
	if u := s.Upgrade; u != nil && u.Artefacts[p.Tools.Version.Platform()] == p.Tools {
		return nil
	}
	if err := s.Trusted().Tools(p.Tools); err != nil {
		return noCause("nobody asked for %s: %v", p.Tools.Version, err)
	}
	return nil
}

func toolsStored(c claim, p *events.ToolsStored) *events.Reason {
	return c.MayStore(*p, c.rec.Correlation)
}

// toolsMarked compares marks that came with a request. Others the state server has read from a source.
func toolsMarked(c claim, p *events.ToolsMarked) *events.Reason {
	if c.rec.Causation == "" {
		return nil
	}
	return asked(func(q asking, p *events.ToolsMarked) *events.Reason {
		a := q.ask.SyncTools
		if a == nil || a.Source != p.Source || a.SignedBy != p.SignedBy || a.Signing != p.Signing {
			return differs("request %s says nothing of %s", q.ask.ID, p.Version)
		}
		for _, m := range a.Marks {
			if m.Version == p.Version && m.Marks == p.Marks {
				return q.may()
			}
		}
		return differs("request %s does not say this of %s", q.ask.ID, p.Version)
	})(c)
}

// upgrade is the upgrade that the request asks for, as it waits to be decided; nil: the request asks for none.
func (q asking) upgrade() *Upgrade {
	w := q.State.Pending[q.ask.ID]
	switch {
	case q.ask.Upgrade == nil:
		return nil
	case q.Asked != nil && q.Asked.ID == q.ask.ID:
		return q.Asked
	case w != nil:
		return w.Upgrade
	}
	return nil
}

func upgradePending(q asking, p *events.UpgradePending) *events.Reason {
	if why := q.wants(events.ActionUpgrade); why != nil {
		return why
	}
	if p.Upgrade != q.ask.ID || p.SHA256 != warrant.Digest(q.Signed) {
		return differs("it is another upgrade that waits than request %s", q.ask.ID)
	}
	return nil
}

// upgradeAccepted holds an upgrade to what operators signed: the version, the list of machines with their keys,
// and how many must agree.
func upgradeAccepted(q asking, p *events.UpgradeAccepted) *events.Reason {
	u := q.upgrade()
	if u == nil || p.Upgrade != u.ID || p.To != q.ask.Upgrade.To || p.From != q.AgentVersion {
		return differs("upgrade %s does not follow from the request before it", p.Upgrade)
	}
	sorted := slices.Clone(p.Machines)
	slices.SortFunc(sorted, CompareNames)
	machines := make([]warrant.Machine, 0, len(sorted))
	for _, id := range sorted {
		machines = append(machines, q.member(id))
	}
	list, err := warrant.NewList(machines)
	if err != nil || !list.Equal(q.ask.Machines) {
		return differs("request %s was signed for other machines", q.ask.ID)
	}
	return q.allowed(machines)
}

func upgradeAborted(q asking, p *events.UpgradeAborted) *events.Reason {
	if q.upgrade() == nil || !q.ask.Upgrade.Reset || p.Request != q.ask.ID {
		return differs("nobody asked to abort upgrade %s", p.Upgrade)
	}
	if !q.by.Somewhere(events.ActionOf(q.ask.Action).Role) {
		return noCause("%s may not abort an upgrade", q.by.Name)
	}
	return nil
}

func upgradeCompleted(c claim, p *events.UpgradeCompleted) *events.Reason {
	if u := c.Upgrade; u == nil || u.ID != p.Upgrade || u.To != p.Version {
		return differs("no upgrade %s to %s is in progress", p.Upgrade, p.Version)
	}
	return nil
}

func orderIssued(c claim, p *events.OrderIssued) *events.Reason {
	if u := c.Upgrade; u == nil || u.ID != p.Upgrade || u.Artefacts[p.Tools.Version.Platform()] != p.Tools || !bytes.Equal(u.Signed, p.Request) {
		return differs("the order is of no upgrade in progress, or for another archive than operators signed")
	}
	return nil
}

func restartOrdered(q asking, p *events.RestartOrdered) *events.Reason {
	if why := q.wants(events.ActionRestart); why != nil {
		return why
	}
	if q.Orders[p.Machine] != nil {
		return differs("machine %s has an open order", p.Machine)
	}
	return q.lets(p.Warrant, p.Machine)
}

// shown is the cause of what release managers signed: the documents themselves.
func shown[P events.Payload](rule func(claim, P) *events.Reason) cause {
	return func(c claim) *events.Reason { return rule(c, c.payload.(P)) }
}

// nextPart takes the parts of a publication in their order.
func nextPart(c claim, p *events.TrustSigned) *events.Reason {
	if have := c.Parts; p.Part > 0 && p.Part != len(have) {
		return differs("part %d of signed metadata comes where part %d is next", p.Part, len(have))
	}
	return nil
}

// publication verifies a publication by the documents before it, as every machine does, and notes what
// they say in State.next. Nothing is expired then: whether metadata is fresh enough, whoever acts on it asks.
func publication(c claim, p *events.TrustPublished) *events.Reason {
	if c.Root == "" && len(c.Parts) == 0 {
		return nil // from before facts had to be proven
	}
	news, err := tuf.ParseBundle(slices.Concat(c.Parts...))
	if err != nil {
		return noCause("no signed metadata proves it: %v", err)
	}
	next, why := c.verified(news, p.Timestamp)
	if why != nil {
		return why
	}
	says, err := json.Marshal(next.Published(p.Bundle))
	given, err2 := json.Marshal(p)
	if err != nil || err2 != nil || !bytes.Equal(says, given) {
		return differs("the signed metadata says something else")
	}
	if a := c.Asking; a != nil && a.Opened != nil && a.Key != c.rec.Key {
		return differs("another state server opened the log")
	}
	if why := c.byServer(next.Roster(), next.Revoked()); why != nil {
		return why
	}
	c.next = next
	return nil
}

func (c claim) verified(news tuf.Bundle, timestamp []byte) (next tuf.Trusted, why *events.Reason) {
	have, root := c.Trusted(), c.Root
	var err error
	switch {
	case !have.IsZero():
		next, err = have.Update(have.Complete(news, timestamp), time.Time{})
	case len(news.Roots) == 0:
		return next, noCause("no root comes with it")
	default:
		if root == "" {
			root = c.pin
		}
		if root == "" {
			root = tuf.AnchorOf(news.Roots[0]).SHA256
		}
		next, err = tuf.Open(tuf.Anchor{SHA256: root}, have.Complete(news, timestamp), time.Time{})
	}
	if err != nil {
		return next, noCause("%v", err)
	}
	return next, nil
}
