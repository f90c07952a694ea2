package cli

import (
	"context"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
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

// reader gives the commands that only read their way to the log.
func (a *juju) reader() *reader {
	return &reader{
		stdout: a.Stdout, stderr: a.Stderr, screen: a.Screen,
		connect: func(ctx context.Context) (logSource, error) {
			s, err := link.Connect(ctx, a.App)
			if err != nil {
				return logSource{}, err
			}
			w, err := link.WitnessOf(a.Store(), s.Env)
			if err != nil {
				s.Conn.Close()
				return logSource{}, err
			}
			return sourceOf(s.Conn, w), nil
		},
		witness: func() (*link.Witness, error) {
			env, err := a.Chosen()
			if err != nil {
				return nil, err
			}
			return link.WitnessOf(a.Store(), env)
		},
		offline: local.OpenLog,
		dataDir: func() string {
			env, err := a.Chosen()
			if err != nil {
				return ""
			}
			return env.StateServerDir()
		},
	}
}
