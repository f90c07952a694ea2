package decide

import (
	"errors"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
)

// mayAsk refuses who may not ask this of all the machines that it is about.
func (q *inquiry) mayAsk() []events.Reason {
	if q.ask.Action == events.ActionApprove {
		return nil // judged with what is agreed to
	}
	return reasonsOf(warrant.May(q.by, q.ask.Action, q.machines))
}

// sameMachines refuses a request that was signed for other machines than it is about now,
// or for longer than any may be.
func (q *inquiry) sameMachines() []events.Reason {
	if !events.ActionOf(q.ask.Action).LetsRun {
		return nil
	}
	if q.ask.Until.After(q.ask.Created.Add(events.MaxRequestLife)) || q.ask.Until.Before(q.Now) {
		return refuse(events.CodeRequestExpired, "machines may begin it until %s; that must be within %v of its signature, and not be over",
			q.ask.Until.UTC().Format(time.RFC3339), events.MaxRequestLife)
	}
	list, err := q.proofs()
	if err != nil {
		return refuse(codeTooMany, "%v", err)
	}
	if !list.Equal(q.ask.Machines) {
		return refuse(events.CodeMachinesChanged, "it was signed for other machines than it is about now; ask again")
	}
	return nil
}

// proofs is the list of the machines of the request, which is made once.
func (q *inquiry) proofs() (*warrant.List, error) {
	if q.list == nil {
		list, err := warrant.NewList(q.machines)
		if err != nil {
			return nil, err
		}
		q.list = list
	}
	return q.list, nil
}

// warrantFor lets a machine see that this request is for it.
func (q *inquiry) warrantFor(id string) events.Warrant {
	w := events.Warrant{Request: q.req.Signed, Approvals: q.approvals}
	if list, err := q.proofs(); err == nil {
		if proven, err := list.Prove(w, id); err == nil {
			return proven
		}
	}
	return w // there is no such list, or he is not in it: sameMachines refuses that
}

// reasonsOf are the reasons that an error gives: none for nil, and codeMalformed for an error
// that is no refusal.
func reasonsOf(err error) []events.Reason {
	var r *events.Reason
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return []events.Reason{*r}
	}
	return refuse(codeMalformed, "%v", err)
}
