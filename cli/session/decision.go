package session

import (
	"context"
	"errors"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
)

// decision waits for the batch that holds the request and what was decided. The batch is
// atomic: once the log has its first record, it has all of them.
func (s *Session) decision(ctx context.Context, log events.Log, from uint64, id string) ([]events.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, s.app.Timeout)
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

// refusal finds the reasons of a refused request in its decision; nil: it was accepted.
func refusal(ask events.Ask, recs []events.Record) error {
	for _, rec := range recs {
		payload, err := events.Decode(rec)
		if err != nil {
			continue // a kind of a newer release
		}
		switch p := payload.(type) {
		case *events.RequestRefused:
			return app.Refused{What: ask.Action, Reasons: p.Reasons}
		case *events.UpgradeRefused:
			return app.Refused{What: ask.Action, Reasons: p.Reasons}
		}
	}
	return nil
}

// changedMeanwhile says whether a request was refused only because the machines are others
// than when it was signed.
func changedMeanwhile(err error) bool {
	var refused app.Refused
	return errors.As(err, &refused) && len(refused.Reasons) == 1 && refused.Reasons[0].Code == events.CodeMachinesChanged
}
