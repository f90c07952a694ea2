package session

import (
	"context"
	"errors"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
)

// decision waits until the request is judged, and returns its records: the request itself and what
// was decided. They are appended in one atomic batch, so once the log has the first of them it has
// all. A record that this client cannot read is left out.
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

// firstOf waits for the first record about a request and returns its sequence.
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

// refusal gives the reasons for which a decision refuses the request. It is nil if the request was
// accepted.
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

// changedMeanwhile says whether a request was refused for one reason alone: the machines that it is
// about are not those that were signed. To sign it anew is then worth a try.
func changedMeanwhile(err error) bool {
	var refused app.Refused
	return errors.As(err, &refused) && len(refused.Reasons) == 1 && refused.Reasons[0].Code == events.CodeMachinesChanged
}

// WaitsFor is the number of operators who must agree before what is asked is done. It is 0 if it was
// done.
func WaitsFor(recs []events.Record) int {
	for _, rec := range recs {
		switch p, _ := events.Decode(rec); p := p.(type) {
		case *events.UpgradePending:
			return p.Needed
		case *events.RequestPending:
			return p.Needed
		}
	}
	return 0
}
