package decide

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
)

// codeNotPending: nothing of that id waits for approval.
const codeNotPending = "not-pending"

// Limits of what waits for more operators to agree.
const (
	maxPending      = limits.PendingRequests
	maxPendingOfOne = limits.PendingOfOperator
)

// agreement lets what nothing forbids be done, or wait until enough operators agree to it.
func (q *inquiry) agreement(v verdict) verdict {
	agreed, _ := q.State.Reader(q.Now).Agreed(events.Warrant{Request: q.req.Signed, Approvals: q.approvals}, q.ask, q.by, q.machines)
	needed := warrant.Needed(q.State.Trust.Roster, q.ask, q.machines)
	if v.missing = max(needed-len(agreed), 0); v.missing == 0 {
		return v
	}
	v.decided = nil
	if len(q.approvals) > 0 {
		return v // it waits already
	}
	return q.wait(v, needed)
}

// wait records that a request waits.
func (q *inquiry) wait(v verdict, needed int) verdict {
	until := q.Now.Add(events.MaxRequestLife)
	if events.ActionOf(q.ask.Action).LetsRun && q.ask.LastStart().Before(until) {
		until = q.ask.LastStart()
	}
	if q.ask.Action == events.ActionUpgrade {
		if w := q.State.PendingUpgrade(); w != nil {
			v.decided = append(v.decided, &events.UpgradeAborted{Upgrade: w.Request.ID, Request: q.ask.ID})
		}
		v.decided = append(v.decided, &events.UpgradePending{Upgrade: q.ask.ID, Needed: needed, SHA256: warrant.Digest(q.req.Signed), Until: until})
		return v
	}
	if v.reasons = q.roomToWait(); len(v.reasons) == 0 {
		v.received = &events.RequestPending{Request: q.req, Needed: needed, Until: until}
	}
	return v
}

// roomToWait refuses one more request that waits where too many do, of all operators or of this one.
func (q *inquiry) roomToWait() []events.Reason {
	own := 0
	for _, w := range q.State.Pending {
		if w.Request.Operator == q.by.Name {
			own++
		}
	}
	if own < maxPendingOfOne && len(q.State.Pending) < maxPending {
		return nil
	}
	return refuse(codeTooMany, "%d requests of %s wait for approval, and %d of everybody; at most %d and %d may: approve some, or take them back with "+
		"juju trust revoke request ID", own, q.by.Name, len(q.State.Pending), maxPendingOfOne, maxPending)
}

// judgeApprove adds one operator who agrees. With the last one the request is judged again,
// as things are now.
func judgeApprove(q *inquiry) verdict {
	a := q.ask.Approve
	if a == nil || q.State.Pending[a.Request] == nil {
		return verdict{reasons: refuse(codeNotPending, "no request of that id waits for approval; juju status shows which ones do")}
	}
	w := q.State.Pending[a.Request]
	r := q.State.Reader(q.Now)
	original, by, err := r.Request(w.Request.Signed)
	if err != nil {
		return verdict{reasons: reasonsOf(err)}
	}
	machines := targets.Of(q.State, original)
	before, _ := r.Agreed(events.Warrant{Request: w.Request.Signed, Approvals: w.Approvals}, original, by, machines)
	if slices.Contains(before, q.by.Key) {
		return verdict{reasons: refuse(events.CodeRequestQuorum, "%s has agreed already; it waits for another operator", q.by.Name)}
	}
	if _, err := r.Approval(q.req.Signed, original.ID, w.Request.Signed, machines); err != nil {
		return verdict{reasons: reasonsOf(err)}
	}
	again := &inquiry{
		At: q.At, Known: q.Known, judges: q.judges, ask: original, by: by, machines: machines,
		req:       events.Request{ID: original.ID, Action: original.Action, Operator: by.Name, Created: original.Created, Signed: w.Request.Signed},
		approvals: append(slices.Clone(w.Approvals), q.req.Signed),
	}
	judged := again.judged()
	v := verdict{received: approved(w, q.req, judged.missing), decided: judged.decided}
	if len(judged.reasons) > 0 {
		v.decided = []events.Payload{refused(w, judged.reasons)}
	}
	return v
}

// approved is the fact that one more operator agrees.
func approved(w *projections.Pending, approval events.Request, missing int) events.Payload {
	if w.Upgrade != nil {
		return &events.UpgradeApproved{Request: approval, Upgrade: w.Request.ID}
	}
	return &events.RequestApproved{Request: approval, Approved: w.Request.ID, Missing: missing}
}

// refused is the fact that a request which waited is refused.
func refused(w *projections.Pending, reasons []events.Reason) events.Payload {
	if w.Upgrade != nil {
		return &events.UpgradeRefused{Upgrade: w.Request.ID, Reasons: reasons}
	}
	return &events.RequestRefused{Request: w.Request.ID, Reasons: reasons}
}

// waits says that another upgrade waits for approval.
func waits(w *projections.Pending) string {
	return fmt.Sprintf("upgrade %s waits for %d more operators (%s agreed)", w.Request.ID, w.Missing, strings.Join(w.Agreed, ", "))
}

// lapsed refuses what waited for so long that it may not begin any more, or was taken back.
func lapsed(s *projections.State, now time.Time) (over []Fact) {
	revoked := s.Reader(now).Trust.Revoked().Requests
	for _, id := range sortedKeys(s.Pending) {
		w := s.Pending[id]
		var reasons []events.Reason
		switch {
		case slices.Contains(revoked, id):
			reasons = refuse(events.CodeRequestRevoked, "it was taken back while it waited for approval")
		case !w.Until.IsZero() && now.After(w.Until):
			reasons = refuse(events.CodeRequestExpired, "too few operators agreed by %s", w.Until.UTC().Format(time.RFC3339))
		default:
			continue
		}
		over = append(over, Fact{Cause: id, Correlation: id, Payload: refused(w, reasons)})
	}
	return over
}
