package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
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
)

// connect connects to the chosen environment with the operator's credentials.
func (a *App) connect(ctx context.Context) (*session, error) {
	env, err := a.chosen()
	if err != nil {
		return nil, err
	}
	creds, err := bus.LoadCredentials(a.credentialsFile(env.Name))
	if err != nil {
		return nil, fail(err, "Nothing was asked.", "")
	}
	id, err := creds.Identity()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := bus.Connect(ctx, bus.ConnConfig{URLs: env.URLs, Credentials: creds, Name: "juju " + env.Operator, Logger: a.logger()})
	if err != nil {
		return nil, fail(fmt.Errorf("environment %s does not answer: %w", env.Name, err), "Nothing was changed.",
			"see that its state server runs; with its files on this host, juju status --from-log shows its last state")
	}
	return &session{app: a, Env: env, Conn: conn, Identity: id}, nil
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
// of the decision. A refusal is an error with every reason.
func (s *session) request(ctx context.Context, ask events.Ask) ([]events.Record, error) {
	now := time.Now().UTC()
	ask.ID, ask.Environment = uuid.Must(uuid.NewV7()).String(), s.Env.UUID
	ask.Created, ask.Expires = now, now.Add(requestLife)
	log := s.Conn.Log()
	from, err := s.logEnd(ctx, log)
	if err != nil {
		return nil, fail(fmt.Errorf("read the log: %w", err), "Nothing was asked.", "see that the state server has started")
	}
	if _, err := s.Conn.PublishRequest(ctx, s.Identity, ask); err != nil {
		return nil, fail(err, "It is not known whether the request was stored; asking again is safe.", "")
	}
	recs, err := s.decision(ctx, log, from+1, ask.ID)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fail(
			fmt.Errorf("no state server has judged the request %s within %v", ask.ID, s.app.timeout),
			fmt.Sprintf("The request is stored. It is judged when a state server is back, or expires at %s.", ask.Expires.Format(time.RFC3339)),
			"juju audit log --upgrade "+ask.ID+" shows what became of it")
	}
	if err != nil {
		return nil, err
	}
	return recs, refusal(ask, recs)
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
	var first uint64
	for rec, err := range log.Follow(ctx, from) {
		if ctx.Err() != nil {
			return nil, context.DeadlineExceeded
		}
		if err == nil && rec.Correlation == id {
			first = rec.Seq
			break
		}
	}
	last, err := log.Last(ctx)
	if err != nil {
		return nil, err
	}
	var recs []events.Record
	for rec, err := range log.Read(ctx, first, last) {
		if err == nil && rec.Correlation == id {
			recs = append(recs, rec)
		}
	}
	return recs, nil
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
