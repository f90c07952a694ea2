package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
)

// Session is a connection to one environment with the operator's credentials.
type Session struct {
	Env      app.Environment
	Conn     *bus.Conn
	Identity *bus.Identity // the operator's key, which signs requests

	app *app.App
}

// Times that a session waits.
const (
	connectTimeout  = 10 * time.Second
	requestLife     = 10 * time.Minute // until a request that nobody judged expires
	questionTimeout = 30 * time.Second
	versionTimeout  = 2 * time.Second // for questions whose answer is not needed
	askAgain        = 200 * time.Millisecond
)

// Connect connects to the chosen environment. The caller closes Conn.
func Connect(ctx context.Context, a *app.App) (*Session, error) {
	env, err := a.Chosen()
	if err != nil {
		return nil, err
	}
	if len(env.URLs) == 0 {
		return nil, app.Fail(fmt.Errorf("environment %s has no address: its bootstrap did not get to its end", env.Name), "Nothing was asked.",
			"juju destroy-environment "+env.Name+", then juju bootstrap "+env.Name)
	}
	creds, err := bus.LoadCredentials(a.Store().CredentialsFile(env.Name))
	if err != nil {
		return nil, app.Fail(err, "Nothing was asked.", "")
	}
	id, err := creds.Identity()
	if err != nil {
		return nil, err
	}
	a.Logger().Debug("connecting", "environment", env.Name, "uuid", env.UUID, "urls", env.URLs, "operator", env.Operator)
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	pinned := a.Store().AuthoritiesFile(env.Name)
	conn, err := bus.Connect(ctx, bus.ConnConfig{
		URLs: env.URLs, Authorities: pinned, Credentials: creds, Name: "juju " + env.Operator, Logger: a.Logger(),
	})
	if err != nil {
		return nil, unreachable(env, pinned, err)
	}
	return &Session{Env: env, Conn: conn, Identity: id, app: a}, nil
}

// With connects, calls f and closes the connection.
func With(ctx context.Context, a *app.App, f func(*Session) error) error {
	s, err := Connect(ctx, a)
	if err != nil {
		return err
	}
	defer s.Conn.Close()
	return f(s)
}

// unreachable says what may help when an environment does not answer. pinned is the file
// of the certificates that are believed.
func unreachable(env app.Environment, pinned string, err error) error {
	if errors.Is(err, bus.ErrUntrusted) {
		return app.Fail(fmt.Errorf("environment %s: %w", env.Name, err), "Nothing was asked, and no key was shown.",
			"find out who answers there; "+pinned+" holds the certificates that are believed")
	}
	err = fmt.Errorf("environment %s does not answer: %w", env.Name, err)
	if errors.Is(err, bus.ErrDenied) {
		return app.Fail(err, "Nothing was changed.", "its NATS does not know these credentials: they are of another environment, or this operator was removed")
	}
	next := "see that its state server runs, and that this host reaches " + strings.Join(env.URLs, ", ")
	if dir := env.StateServerDir(); dir != "" {
		next = "jujud state-server --data-dir " + dir + " starts it again; juju status --from-log shows its last state"
	}
	return app.Fail(err, "Nothing was changed.", next)
}
