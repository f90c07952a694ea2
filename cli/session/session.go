package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// Session is a connection to one environment with the operator's credentials. What it gives of the
// environment is held against what this client has seen of the log: see Witness. The connection itself
// is nobody else's, so no command can ask or read past that.
type Session struct {
	Env      app.Environment
	Identity *bus.Identity // the operator's key, which signs requests

	app      *app.App
	conn     *bus.Conn
	witness  *Witness
	verifies bool // see ConnectToVerify
	proof    proof
}

// Times that a session waits.
const (
	connectTimeout  = 10 * time.Second
	requestLife     = 10 * time.Minute // until a request that nobody judged expires
	questionTimeout = 30 * time.Second
	versionTimeout  = 2 * time.Second // for questions whose answer is not needed
	askAgain        = 200 * time.Millisecond
)

// Connect connects to the chosen environment and has its state server prove that the log goes on
// from what this client has seen of it. The caller closes the session.
func Connect(ctx context.Context, a *app.App) (*Session, error) { return connect(ctx, a, false) }

// ConnectToVerify is Connect for the one command that compares the whole log with what was seen and
// says itself what differs: nothing is proved before, neither by Ask nor by Log. TestLawOfCalls lets
// nobody else use it.
func ConnectToVerify(ctx context.Context, a *app.App) (*Session, error) { return connect(ctx, a, true) }

func connect(ctx context.Context, a *app.App, verifies bool) (*Session, error) {
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
	w, err := WitnessOf(a.Store(), env)
	if err != nil {
		return nil, err
	}
	a.Logger().Debug("connecting", "environment", env.Name, "uuid", env.UUID, "urls", env.URLs, "operator", env.Operator)
	connecting, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	pinned := a.Store().AuthoritiesFile(env.Name)
	conn, err := bus.Connect(connecting, bus.ConnConfig{
		URLs: env.URLs, Authorities: pinned, Credentials: creds, Name: "juju " + env.Operator, Logger: a.Logger(),
	})
	if err != nil {
		return nil, unreachable(env, pinned, err)
	}
	s := &Session{Env: env, Identity: id, app: a, conn: conn, witness: w, verifies: verifies, proof: proof{lost: host.NewPoke()}}
	conn.OnReconnect(s.proof.forget)
	if err := s.proveSoon(ctx, s.prove); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the connection.
func (s *Session) Close() { s.conn.Close() }

// Witness is what this client has seen of the environment's log.
func (s *Session) Witness() *Witness { return s.witness }

// Log is the environment's log, held against what this client has seen of it.
func (s *Session) Log() events.Log {
	if s.verifies {
		return s.conn.Log()
	}
	return heldLog{s.conn.Log(), s.witness, s.keepProving}
}

// Checkpoint gives the newest checkpoint that is kept beside the log, or bus.ErrNotFound.
func (s *Session) Checkpoint(ctx context.Context) ([]byte, error) { return s.conn.Checkpoint(ctx) }

// With connects, calls f and closes the connection.
func With(ctx context.Context, a *app.App, f func(*Session) error) error {
	s, err := Connect(ctx, a)
	if err != nil {
		return err
	}
	defer s.Close()
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
		return app.Fail(err, "Nothing was changed.", "its NATS does not know these credentials: they are of another environment, or this operator was removed or "+
			"only reads by now: then an admin has a new line for juju user accept (juju user grant NAME ROLE prints it)")
	}
	next := "see that its state server runs, and that this host reaches " + strings.Join(env.URLs, ", ")
	if dir := env.StateServerDir(); dir != "" {
		next = "jujud state-server --data-dir " + dir + " starts it again; juju status --from-log shows its last state"
	}
	return app.Fail(err, "Nothing was changed.", next)
}
