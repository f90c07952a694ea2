package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections/targets"
)

// codeNotPending: nothing of that id waits for approval.
const codeNotPending = "not-pending"

// agreement lets an upgrade that nothing forbids begin, or wait until enough operators
// agree to it.
func (q *inquiry) agreement(v verdict) verdict {
	needed := warrant.Needed(q.State.Trust.Roster, q.machines)
	agreed := 1
	if w := q.State.Pending; w != nil && w.ID == q.ask.ID {
		agreed = len(w.Agreed) + 1 // with the approval that is being judged
	}
	switch {
	case agreed >= needed:
		return v
	case agreed > 1:
		v.decided = nil
		return v
	}
	v.decided = []events.Payload{&events.UpgradePending{Upgrade: q.ask.ID, Needed: needed, SHA256: warrant.Digest(q.req.Signed)}}
	return v
}

// judgeApprove adds one operator who agrees. With the last one the upgrade is judged again,
// as things are now.
func judgeApprove(q *inquiry) verdict {
	w := q.State.Pending
	if a := q.ask.Approve; a == nil || w == nil || w.ID != a.Request {
		return verdict{reasons: refuse(codeNotPending, "no upgrade of that id waits for approval; juju status shows which one does")}
	}
	if slices.Contains(w.Agreed, q.by.Name) {
		return verdict{reasons: refuse(events.CodeRequestQuorum, "%s has agreed already; it waits for another operator", q.by.Name)}
	}
	r := reader(q.State, q.Now)
	original, by, err := r.Request(w.Signed)
	if err != nil {
		return verdict{reasons: reasonsOf(err)}
	}
	machines := targets.Of(q.State, original)
	if _, err := r.Approval(q.req.Signed, original.ID, w.Signed, machines); err != nil {
		return verdict{reasons: reasonsOf(err)}
	}
	v := verdict{received: &events.UpgradeApproved{Request: q.req, Upgrade: w.ID}}
	again := *q
	again.ask, again.by, again.machines, again.list = original, by, machines, nil
	again.req = events.Request{ID: original.ID, Action: original.Action, Operator: by.Name, Created: original.Created, Signed: w.Signed}
	judged := judgeUpgrade(&again)
	if len(judged.reasons) == 0 {
		judged.reasons = again.sameMachines()
	}
	if len(judged.reasons) > 0 {
		v.decided = []events.Payload{&events.UpgradeRefused{Upgrade: w.ID, Reasons: judged.reasons}}
		return v
	}
	v.decided = judged.decided
	return v
}

// waits says that another upgrade waits for approval.
func waits(id string, agreed []string, needed int) string {
	return fmt.Sprintf("upgrade %s waits for %d more operators (%s agreed)", id, needed-len(agreed), strings.Join(agreed, ", "))
}
