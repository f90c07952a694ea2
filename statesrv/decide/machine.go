package decide

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
)

// Limits of one request.
const (
	maxInvitations = limits.Invitations    // machines added at once
	maxRestarts    = limits.RestartsAtOnce // agents restarted at once
	maxTokenLife   = limits.TokenLife
)

func judgeAddMachine(q *inquiry) verdict {
	a := q.ask.AddMachine
	switch {
	case a == nil || len(a.TokenKeys) == 0:
		return verdict{reasons: refuse(codeMalformed, "the request brings no join token")}
	case len(a.TokenKeys) > maxInvitations:
		return verdict{reasons: refuse(codeTooMany, "%d machines at once; at most %d", len(a.TokenKeys), maxInvitations)}
	case a.TTL <= 0 || time.Duration(a.TTL)*time.Second > maxTokenLife:
		return verdict{reasons: refuse(codeBadValue, "a join token lives between a second and %v", maxTokenLife)}
	}
	if err := events.CheckLabels(a.Labels); err != nil {
		return verdict{reasons: refuse(codeBadValue, "%v", err)}
	}
	if _, claims := a.Labels[events.ControlPlane]; claims {
		return verdict{reasons: refuse(codeBadValue, "the label %s belongs to state servers; give the machine another one", events.ControlPlane)}
	}
	var v verdict
	for i, key := range a.TokenKeys {
		v.decided = append(v.decided, &events.MachineInvited{
			Machine: strconv.Itoa(q.State.NextMachine + i), TokenKey: key,
			Expires: q.Now.Add(time.Duration(a.TTL) * time.Second), Labels: a.Labels, Approve: a.Approve,
		})
	}
	return v
}

// judgeApproveMachine lets a host be the machine that it enrolled as.
func judgeApproveMachine(q *inquiry) verdict {
	m := q.State.Machines[q.ask.ApproveMachine]
	if m == nil || m.Life == projections.LifeInvited {
		return verdict{reasons: refuse(codeNoMachine, "there is no enrolled machine %q", q.ask.ApproveMachine)}
	}
	if m.Life != projections.LifePending && m.Life != projections.LifeQuarantined {
		return verdict{reasons: refuse(codeInUse, "machine %s does not wait for approval", m.ID)}
	}
	return verdict{decided: []events.Payload{&events.MachineApproved{Machine: m.ID}}}
}

func judgeRemoveMachine(q *inquiry) verdict {
	id := q.ask.RemoveMachine
	m := q.State.Machines[id]
	if m == nil {
		return verdict{reasons: refuse(codeNoMachine, "there is no machine %s", id)}
	}
	if m.StateServer {
		return verdict{reasons: refuse(codeInUse, "machine %s is a state server", id)}
	}
	var units []string
	for _, name := range sortedKeys(q.State.Units) {
		if q.State.Units[name].Machine == id {
			units = append(units, name)
		}
	}
	if len(units) > 0 {
		return verdict{reasons: []events.Reason{{Code: codeInUse, About: units, Text: fmt.Sprintf(
			"machine %s still runs %s; remove the units first (juju remove-unit %s)", id, strings.Join(units, ", "), strings.Join(units, " "))}}}
	}
	var v verdict
	if o := q.State.Orders[id]; o != nil {
		v.decided = append(v.decided, &events.OrderSuperseded{Order: o.ID, Machine: id, Reason: "the machine was removed"})
	}
	v.decided = append(v.decided, &events.MachineRemoved{Machine: id})
	return v
}

// judgeResolved lets a machine try again what failed there. An open order would be hidden
// behind it on the machine's order subject, so it has to end first.
func judgeResolved(q *inquiry) verdict {
	m := q.State.Machines[q.ask.Resolved]
	if m == nil || m.Life != projections.LifeAlive {
		return verdict{reasons: refuse(codeNoMachine, "there is no enrolled machine %q", q.ask.Resolved)}
	}
	if o := q.State.Orders[m.ID]; o != nil {
		return verdict{reasons: refuse(codeInUse, "machine %s has an open %s order; wait for its end, or abort its upgrade with juju upgrade-juju "+
			"--reset-previous-upgrade",
			m.ID, o.Kind)}
	}
	return verdict{decided: []events.Payload{&events.MachineResolved{Machine: m.ID, Warrant: q.warrantFor(m.ID)}}}
}

// judgeRestart orders restarts. An agent with an open order gets none: its restart is
// merged into the one that the open order will bring.
func judgeRestart(q *inquiry) verdict {
	a := q.ask.Restart
	if a == nil || (len(a.Tags) == 0) == !a.All {
		return verdict{reasons: refuse(codeMalformed, "the request names no agent, or both agents and all of them")}
	}
	ids := targets.Alive(q.State)
	if !a.All {
		var unknown []string
		if ids, unknown = targets.ByTags(q.State, a.Tags); len(unknown) > 0 {
			return verdict{reasons: []events.Reason{{Code: codeNoMachine, About: unknown, Text: fmt.Sprintf(
				"no agent has the name %s; juju status lists them", strings.Join(unknown, ", "))}}}
		}
	}
	if len(ids) > maxRestarts {
		return verdict{reasons: refuse(codeTooMany, "%d agents at once; at most %d in one request", len(ids), maxRestarts)}
	}
	v := verdict{received: &events.RestartRequested{Request: q.req, Machines: ids}}
	for _, id := range ids {
		if q.State.Orders[id] == nil {
			v.decided = append(v.decided, &events.RestartOrdered{Order: q.NewID(), Machine: id, Warrant: q.warrantFor(id)})
		}
	}
	return v
}
