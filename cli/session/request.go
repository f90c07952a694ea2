package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// signTries is how often a request is signed anew when its machines changed meanwhile.
const signTries = 3

// Request signs and publishes an ask, waits until it is judged, and returns the records of
// the decision. A refusal is an app.Refused with every reason. When the machines that the ask
// is about changed before it was judged, it is completed, signed and published anew.
func (s *Session) Request(ctx context.Context, ask events.Ask) (recs []events.Record, err error) {
	return s.RequestUnit(ctx, ask, Environment{})
}

// RequestUnit is Request for an ask for a unit whose environment is sealed for its machine.
func (s *Session) RequestUnit(ctx context.Context, ask events.Ask, env Environment) (recs []events.Record, err error) {
	for range signTries {
		if recs, err = s.requestOnce(ctx, ask, env); !changedMeanwhile(err) {
			break
		}
	}
	return recs, err
}

// requestOnce keeps this order: the end of the log is read before the request is published,
// so that its decision lies behind that end; and the witness has seen that the log goes on
// from what this client knows before anything is signed into it.
func (s *Session) requestOnce(ctx context.Context, ask events.Ask, env Environment) ([]events.Record, error) {
	now := time.Now().UTC()
	ask.ID, ask.Environment = uuid.Must(uuid.NewV7()).String(), s.Env.UUID
	ask.Created, ask.Expires = now, now.Add(requestLife)
	ask, err := s.complete(ctx, ask, env)
	if err != nil {
		return nil, err
	}
	log := s.Log()
	from, err := log.Last(ctx)
	if err != nil {
		return nil, app.Fail(fmt.Errorf("read the log: %w", err), "Nothing was asked.", "see that the state server has started")
	}
	if err := s.proveSoon(ctx, s.proveAgain); err != nil {
		return nil, err
	}
	if err := s.publish(ctx, ask); err != nil {
		return nil, err
	}
	recs, err := s.decision(ctx, log, from+1, ask.ID)
	if err != nil {
		return nil, s.undecided(ctx, ask, err)
	}
	s.app.Logger().Debug("the request was judged", "id", ask.ID, "first", recs[0].Seq, "records", len(recs))
	if needed := WaitsFor(recs); needed > 0 && ask.Action != events.ActionUpgrade { // that one says more of itself
		s.app.Say("Not done yet: %s waits until %d operators agree; another one may: juju approve %s", ask.Action, needed, ask.ID)
	}
	return recs, refusal(ask, recs)
}

// publish hands the request to the state server, which stores it. If no answer comes, it hands over
// the very same bytes again: if the first attempt has stored them, that changes nothing.
func (s *Session) publish(ctx context.Context, ask events.Ask) error {
	asked := ctx
	ctx, cancel := context.WithTimeout(ctx, s.app.Timeout)
	defer cancel()
	nobody := true // no attempt has reached a state server
	for {
		seq, err := s.conn.PublishRequest(ctx, s.Identity, ask)
		nobody = nobody && errors.Is(err, bus.ErrNoStateServer)
		refused := new(events.Reason)
		switch {
		case err == nil:
			s.app.Logger().Debug("stored the request", "id", ask.ID, "action", ask.Action, "seq", seq)
			return nil
		case errors.As(err, &refused) && refused.Code != events.CodeUnavailable && refused.Code != events.CodeDiskFull:
			return app.Refused{What: ask.Action, Reasons: []events.Reason{*refused}}
		case ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, bus.ErrNoStateServer) && refused.Code == "":
			return app.Fail(err, "Nothing was asked.", "")
		}
		s.app.Logger().Debug("storing the request again", "id", ask.ID, "err", err)
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return s.unstored(asked, ask, err, nobody)
		}
	}
}

// unstored is the error of a request of which nobody said in time that it is stored. nobody: no
// state server was there at all.
func (s *Session) unstored(ctx context.Context, ask events.Ask, err error, nobody bool) error {
	if nobody {
		return app.Fail(err, "Nothing was asked.", "see that the state server runs")
	}
	if runs, ok := Running(ctx, s.conn); ok && runs.Stopped != nil {
		err = runs.Stopped
	}
	return app.Fail(err, "It is not known whether the request was stored. If it was, it is judged, or expires at "+ask.Expires.Format(time.RFC3339)+".",
		"juju audit log --upgrade "+ask.ID+" shows what became of it")
}

// undecided is the error of a request that is stored and whose decision this client has not seen.
func (s *Session) undecided(ctx context.Context, ask events.Ask, err error) error {
	stored := fmt.Sprintf("The request is stored. It is judged when a state server is back, or expires at %s.", ask.Expires.Format(time.RFC3339))
	next := "juju audit log --upgrade " + ask.ID + " shows what became of it"
	switch {
	case ctx.Err() != nil:
		return app.Fail(fmt.Errorf("interrupted while the request %s waits to be judged", ask.ID), stored, next)
	case !errors.Is(err, context.DeadlineExceeded):
		return app.Fail(fmt.Errorf("wait for the decision on the request %s: %w", ask.ID, err), stored, next)
	}
	err = fmt.Errorf("no state server has judged the request %s within %v", ask.ID, s.app.Timeout)
	switch runs, ok := Running(ctx, s.conn); {
	case ok && runs.Stopped != nil:
		err = fmt.Errorf("the request %s was not judged within %v: %w", ask.ID, s.app.Timeout, runs.Stopped)
	case ok:
		err = fmt.Errorf("the state server, %s, has not judged the request %s within %v: it is busy, or it does not understand this client, %s",
			runs.Version, ask.ID, s.app.Timeout, version.Current())
	}
	return app.Fail(err, stored, next)
}
