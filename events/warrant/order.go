package warrant

import (
	"maps"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// Server checks that a state server on the roster signed a record, and signed it for where it lies: an old
// withdrawal that somebody puts into the log once more withdraws nothing.
func (r Reader) Server(rec events.Record) error {
	servers := r.Trust.Roster().StateServers
	if !slices.Contains(servers, rec.Key) || slices.Contains(r.Trust.Revoked().Keys, rec.Key) {
		return events.Refuse(events.CodeOrderSignature, "%s is signed with the key %q, which is no state server's", rec.Kind, rec.Key)
	}
	if rec.HasPlace() && !rec.IsPlaced(r.Environment) {
		return events.Refuse(events.CodeOrderSignature, "%s was signed for another place than %d of this log", rec.Kind, rec.Seq)
	}
	if err := rec.CheckSignature(rec.Key); err != nil {
		return events.Refuse(events.CodeOrderSignature, "%v", err)
	}
	return nil
}

// Order checks an order to upgrade machine m, which runs a version. It returns the request that the order
// executes.
func (r Reader) Order(o events.OrderIssued, m Machine, runs version.Number) (events.Ask, error) {
	if o.Machine != m.ID {
		return events.Ask{}, events.Refuse(events.CodeNotForMe, "the order is for machine %s, this is machine %s", o.Machine, m.ID)
	}
	ask, err := r.Check(o.Warrant, m)
	if err == nil && (ask.Action != events.ActionUpgrade || ask.Upgrade == nil || ask.ID != o.Upgrade) {
		err = events.Refuse(events.CodeNotAsked, "request %s asks for %s, the order is of upgrade %s", ask.ID, ask.Action, o.Upgrade)
	}
	if err == nil {
		err = r.Target(*ask.Upgrade, o.Tools, runs)
	}
	if err == nil {
		err = r.Freshness()
	}
	return ask, err
}

// Target checks the archive of an upgrade: release managers signed it, the request names it, and its
// version is not too old.
func (r Reader) Target(a events.AskUpgrade, want tools.Tools, runs version.Number) error {
	if err := r.Trust.Tools(want); err != nil {
		return err
	}
	if want.Version.Number != a.To || !slices.Contains(a.Artefacts, want) {
		return events.Refuse(events.CodeDigestDisagree, "the archive %s with the digest %.12s… is not one that was asked for", want.Version, want.SHA256)
	}
	return r.Floor(a, runs)
}

// Floor refuses a version below the lowest one that may run, and one that is older than what runs unless
// the request is for a rollback.
func (r Reader) Floor(a events.AskUpgrade, runs version.Number) error {
	if floor := r.Trust.Floor(); a.To.Compare(floor) < 0 {
		return events.Refuse(events.CodeFloor, "version %s is below %s, the oldest that may run", a.To, floor)
	}
	if a.To.Compare(runs) < 0 && !a.Rollback {
		return events.Refuse(events.CodeFloor, "version %s is older than %s, which runs, and the request is for no rollback", a.To, runs)
	}
	return nil
}

// Plain checks an order that says nothing but its machine: to restart, or to try again what failed.
func (r Reader) Plain(action, machine string, w events.Warrant, m Machine) (events.Ask, error) {
	if machine != m.ID {
		return events.Ask{}, events.Refuse(events.CodeNotForMe, "the order is for machine %s, this is machine %s", machine, m.ID)
	}
	ask, err := r.Check(w, m)
	if err == nil && ask.Action != action {
		err = events.Refuse(events.CodeNotAsked, "request %s asks for %s, not for %s", ask.ID, ask.Action, action)
	}
	if err == nil {
		err = r.Freshness()
	}
	return ask, err
}

// Unit checks that operators asked for a unit with exactly this command.
func (r Reader) Unit(u events.UnitSpec, m Machine) (events.Ask, error) {
	if u.Machine != m.ID {
		return events.Ask{}, events.Refuse(events.CodeNotForMe, "unit %s is of machine %s, this is machine %s", u.Unit, u.Machine, m.ID)
	}
	ask, err := r.Check(u.Warrant, m)
	if err == nil && !asks(ask, u) {
		err = events.Refuse(events.CodeNotAsked, "request %s does not ask for %s with this command", ask.ID, u.Unit)
	}
	if err == nil {
		err = r.Freshness()
	}
	return ask, err
}

// asks says whether a request is for this unit: the same service, machine, command, environment,
// user and restart policy.
func asks(ask events.Ask, u events.UnitSpec) bool {
	asked := ask.UnitAsked()
	if asked == nil {
		return false
	}
	spec := asked.Spec()
	own, _, _ := strings.Cut(u.Unit, "/")
	return own == asked.Service && spec.Machine == u.Machine && spec.SameService(u) && maps.Equal(spec.Env, u.Env) && spec.Secrets.Equal(u.Secrets)
}
