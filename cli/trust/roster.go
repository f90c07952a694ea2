package trust

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// changeRoster publishes the roster (operators, quorums, state servers) as f changes a copy of it.
func changeRoster(ctx context.Context, p *signing.Site, f func(*events.Roster) error) error {
	roster := p.Trusted.Roster()
	keys, err := p.Keys().All()
	if err != nil {
		return app.Fail(err, "Nothing was changed.", "")
	}
	me, _ := p.Me()
	if err := mayChange(roster, me, len(keys) > 0); err != nil {
		return err
	}
	roster.Operators, roster.Quorums = slices.Clone(roster.Operators), slices.Clone(roster.Quorums)
	if err := f(&roster); err != nil {
		return err
	}
	if err := roster.Validate(); err != nil {
		return app.Usage("%v", err)
	}
	return p.Change(ctx, func(repo *tuf.Repository) error {
		return repo.SetJSON(signing.TargetsExpire(), tuf.FileOperators, roster)
	})
}

// mayChange refuses who can neither publish a change of the roster nor sign one for others to publish.
func mayChange(r events.Roster, me events.Operator, hasKeys bool) error {
	if hasKeys || me.May(events.RoleRelease, nil) {
		return nil
	}
	var able []string
	for _, o := range r.Operators {
		if o.May(events.RoleRelease, nil) {
			able = append(able, o.Name)
		}
	}
	has := cmp.Or(signing.GrantsInWords(me.Grants), "no role")
	return app.Fail(fmt.Errorf("you may not change who may ask for what: that takes the role %s or %s over every machine, and a release manager's key; %s has %s "+
		"(the roles are %s)", events.RoleRelease, events.RoleAdmin, cmp.Or(me.Name, "this client's key"), has, strings.Join(events.Roles, ", ")),
		"Nothing was changed.", "ask one of those who may: "+strings.Join(able, ", "))
}

func operatorNamed(r events.Roster, name string) (events.Operator, error) {
	i := slices.IndexFunc(r.Operators, func(o events.Operator) bool { return o.Name == name })
	if i < 0 {
		return events.Operator{}, app.Fail(fmt.Errorf("there is no operator %q", name), "Nothing was changed.", "juju user list")
	}
	return r.Operators[i], nil
}

// changeOperators publishes the operators as f changes them. It refuses a change after which nobody
// is admin of every machine: then nobody could ever change the operators again.
func changeOperators(ctx context.Context, p *signing.Site, f func(*events.Roster) error) error {
	return changeRoster(ctx, p, func(r *events.Roster) error {
		if err := f(r); err != nil {
			return err
		}
		if !slices.ContainsFunc(r.Operators, func(o events.Operator) bool { return o.May(events.RoleAdmin, nil) }) {
			return app.Usage("nobody would be admin of every machine any more")
		}
		return nil
	})
}
