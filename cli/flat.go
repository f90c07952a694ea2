package cli

import (
	"context"

	"github.com/jujube-project/jujube/cli/app"
	link "github.com/jujube-project/jujube/cli/session"
)

// juju has the commands whose family has no package of its own yet.
type juju struct{ *app.App }

// session is a connection for such a command.
type session struct {
	*link.Session
	app *juju
}

// with runs f on a connection and closes it.
func (a *juju) with(ctx context.Context, f func(*session) error) error {
	return link.With(ctx, a.App, func(s *link.Session) error { return f(&session{s, a}) })
}
