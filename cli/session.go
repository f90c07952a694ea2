package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
)

// session is a connection to one environment.
type session struct {
	app      *App
	Env      environment
	Conn     *bus.Conn
	Identity *bus.Identity
}

// Times that a command waits.
const (
	connectTimeout = 10 * time.Second
	decideTimeout  = 30 * time.Second
	requestLife    = 10 * time.Minute
	queryTimeout   = 30 * time.Second
	versionTimeout = 2 * time.Second
)

// connect connects to the chosen environment with the operator's credentials.
func (a *App) connect(ctx context.Context) (*session, error) {
	env, err := a.chosen()
	if err != nil {
		return nil, err
	}
	if len(env.URLs) == 0 {
		return nil, fail(fmt.Errorf("environment %s has no address: its bootstrap did not get to its end", env.Name), "Nothing was asked.",
			"juju destroy-environment "+env.Name+", then juju bootstrap "+env.Name)
	}
	creds, err := bus.LoadCredentials(a.credentialsFile(env.Name))
	if err != nil {
		return nil, fail(err, "Nothing was asked.", "")
	}
	id, err := creds.Identity()
	if err != nil {
		return nil, err
	}
	a.logger().Debug("connecting", "environment", env.Name, "uuid", env.UUID, "urls", env.URLs, "operator", env.Operator)
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := bus.Connect(ctx, bus.ConnConfig{
		URLs: env.URLs, Authorities: a.authoritiesFile(env.Name), Credentials: creds, Name: "juju " + env.Operator, Logger: a.logger(),
	})
	if err != nil {
		return nil, unreachable(env, a.authoritiesFile(env.Name), err)
	}
	return &session{app: a, Env: env, Conn: conn, Identity: id}, nil
}

// unreachable says what may help when an environment does not answer.
func unreachable(env environment, pinned string, err error) error {
	if errors.Is(err, bus.ErrUntrusted) {
		return fail(fmt.Errorf("environment %s: %w", env.Name, err), "Nothing was asked, and no key was shown.",
			"find out who answers there; "+pinned+" holds the certificates that are believed")
	}
	err = fmt.Errorf("environment %s does not answer: %w", env.Name, err)
	if errors.Is(err, bus.ErrDenied) {
		return fail(err, "Nothing was changed.", "its NATS does not know these credentials: they are of another environment, or this operator was removed")
	}
	next := "see that its state server runs, and that this host reaches " + strings.Join(env.URLs, ", ")
	if dir := env.localStateServer(); dir != "" {
		next = "jujud state-server --data-dir " + dir + " starts it again; juju status --from-log shows its last state"
	}
	return fail(err, "Nothing was changed.", next)
}

// with runs f on a connection and closes it.
func (a *App) with(ctx context.Context, f func(*session) error) error {
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.Conn.Close()
	return f(s)
}

// ask asks the state server and decodes nothing.
func (s *session) ask(ctx context.Context, query string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	return s.Conn.Ask(ctx, query, body)
}

// request signs and publishes an ask, waits until it is judged, and returns the records
// of the decision. A refusal is an error with every reason. When the machines that it is
// about changed before it was judged, it is asked anew.
func (s *session) request(ctx context.Context, ask events.Ask) (recs []events.Record, err error) {
	for range resolveTries {
		if recs, err = s.requestOnce(ctx, ask); !changedMeanwhile(err) {
			break
		}
	}
	return recs, err
}

func (s *session) requestOnce(ctx context.Context, ask events.Ask) ([]events.Record, error) {
	now := time.Now().UTC()
	ask.ID, ask.Environment = uuid.Must(uuid.NewV7()).String(), s.Env.UUID
	ask.Created, ask.Expires = now, now.Add(requestLife)
	ask, err := s.resolve(ctx, ask)
	if err != nil {
		return nil, err
	}
	log := s.Conn.Log()
	from, err := s.logEnd(ctx, log)
	if err != nil {
		return nil, fail(fmt.Errorf("read the log: %w", err), "Nothing was asked.", "see that the state server has started")
	}
	if err := s.witness(ctx); err != nil {
		return nil, err
	}
	if err := s.publish(ctx, ask); err != nil {
		return nil, err
	}
	recs, err := s.decision(ctx, log, from+1, ask.ID)
	if err != nil {
		return nil, s.undecided(ctx, ask, err)
	}
	s.app.logger().Debug("the request was judged", "id", ask.ID, "first", recs[0].Seq, "records", len(recs))
	return recs, refusal(ask, recs)
}

// witness sees that the log goes on from what this client saw of it.
func (s *session) witness(ctx context.Context) error {
	w, err := s.app.witness(s.Env)
	if err != nil || w == nil {
		return err
	}
	return w.observe(ctx, s.Conn.Ask)
}

// publish stores the request. When an answer is lost, the very same bytes are stored
// again, which changes nothing if they were stored before.
func (s *session) publish(ctx context.Context, ask events.Ask) error {
	ctx, cancel := context.WithTimeout(ctx, s.app.timeout)
	defer cancel()
	for {
		seq, err := s.Conn.PublishRequest(ctx, s.Identity, ask)
		switch {
		case err == nil:
			s.app.logger().Debug("stored the request", "id", ask.ID, "action", ask.Action, "seq", seq)
			return nil
		case ctx.Err() != nil:
			return fail(err, "It is not known whether the request was stored. If it was, it is judged, or expires at "+ask.Expires.Format(time.RFC3339)+".",
				"juju audit log --upgrade "+ask.ID+" shows what became of it")
		case !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, bus.ErrNoStateServer):
			return fail(err, "Nothing was asked.", "")
		}
		s.app.logger().Debug("storing the request again", "id", ask.ID, "err", err)
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
		}
	}
}

// undecided says what is known of a request whose decision was not seen.
func (s *session) undecided(ctx context.Context, ask events.Ask, err error) error {
	stored := fmt.Sprintf("The request is stored. It is judged when a state server is back, or expires at %s.", ask.Expires.Format(time.RFC3339))
	next := "juju audit log --upgrade " + ask.ID + " shows what became of it"
	switch {
	case ctx.Err() != nil:
		return fail(fmt.Errorf("interrupted while the request %s waits to be judged", ask.ID), stored, next)
	case !errors.Is(err, context.DeadlineExceeded):
		return fail(fmt.Errorf("wait for the decision on the request %s: %w", ask.ID, err), stored, next)
	}
	err = fmt.Errorf("no state server has judged the request %s within %v", ask.ID, s.app.timeout)
	if v, ok := s.serverVersion(ctx); ok {
		err = fmt.Errorf("the state server, %s, has not judged the request %s within %v: it is busy, or it does not understand this client, %s", v, ask.ID, s.app.timeout, version.Current())
	}
	return fail(err, stored, next)
}

// serverVersion is what the state server runs, if there is one.
func (s *session) serverVersion(ctx context.Context) (string, bool) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	b, err := s.Conn.Ask(ctx, "version", nil)
	if err != nil {
		return "", false
	}
	var answer wire.Running
	err = decodeJSON(b, &answer)
	return answer.Version.String(), err == nil
}

// logEnd is the log's last sequence. A log that does not answer, because NATS or the
// state server is only just starting, is asked again for a while.
func (s *session) logEnd(ctx context.Context, log *bus.Log) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.app.timeout)
	defer cancel()
	for {
		last, err := log.Last(ctx)
		if !errors.Is(err, bus.ErrNoStateServer) {
			return last, err
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return 0, err
		}
	}
}

const askAgain = 200 * time.Millisecond

// decision waits for the batch that holds the request and what was decided. The batch
// is atomic, so the log has all of it at once.
func (s *session) decision(ctx context.Context, log events.Log, from uint64, id string) ([]events.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, s.app.timeout)
	defer cancel()
	first, err := firstOf(ctx, log, from, id)
	if err != nil {
		return nil, err
	}
	last, err := log.Last(ctx)
	if err != nil {
		return nil, err
	}
	var recs []events.Record
	for rec, err := range log.Read(ctx, first, last) {
		if err != nil && !errors.Is(err, events.ErrInvalid) {
			return nil, err
		}
		if err == nil && rec.Correlation == id {
			recs = append(recs, rec)
		}
	}
	return recs, nil
}

// firstOf waits for the first record about a request.
func firstOf(ctx context.Context, log events.Log, from uint64, id string) (uint64, error) {
	for rec, err := range log.Follow(ctx, from) {
		switch {
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case err == nil && rec.Correlation == id:
			return rec.Seq, nil
		case err != nil && !errors.Is(err, events.ErrInvalid):
			return 0, err
		}
	}
	return 0, errors.New("the log ended")
}

// refusal finds the reasons of a refused request in its decision.
func refusal(ask events.Ask, recs []events.Record) error {
	for _, rec := range recs {
		payload, err := events.Decode(rec)
		if err != nil {
			continue
		}
		switch p := payload.(type) {
		case *events.RequestRefused:
			return refusedError{ask.Action, p.Reasons}
		case *events.UpgradeRefused:
			return refusedError{ask.Action, p.Reasons}
		}
	}
	return nil
}
