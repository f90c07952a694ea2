package rollout

import (
	"fmt"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// Progress says for a person how far the machine is with an open order.
func Progress(o *projections.Order) string {
	switch {
	case o.Kind == projections.OrderRestart && o.Accepted:
		return "restarting its agent"
	case o.Kind == projections.OrderRestart:
		return "ordered to restart its agent"
	case !o.Accepted:
		return "ordered, no answer yet"
	case o.Step == projections.StepDownloading:
		return fmt.Sprintf("downloading %s, %d%%", o.To, o.Percent)
	case o.Step == projections.StepStaged:
		return "has " + o.To.String() + " staged"
	case o.Step == projections.StepRestarting:
		return "restarting into " + o.To.String()
	case o.Trouble != "":
		return "upgrade steps of " + o.To.String() + " failed (will retry): " + o.Trouble
	case o.Step == projections.StepStepping:
		return "takes the upgrade steps of " + o.To.String()
	}
	return "accepted the order"
}

// failure says for a person how a machine's order failed.
func failure(m *projections.Machine, how string) string {
	if m.Failure == nil {
		return how
	}
	return how + ": " + m.Failure.Text + " (" + m.Failure.Code + " at " + m.Failure.Step + ")"
}

// codes are the codes of the reasons for a halt, by how the order of the machine ended.
var codes = map[string]string{
	projections.DoneFailed:     events.CodeMachineFailed,
	projections.DoneRolledBack: events.CodeMachineRolledBack,
	projections.DoneTimedOut:   events.CodeMachineTimedOut,
}

// haltReason is why the upgrade halts because of one machine.
func haltReason(s *projections.State, id, how string) events.Reason {
	code, ok := codes[how]
	if !ok {
		code = events.CodeMachineFailed
	}
	tag := events.MachineTag(id)
	return events.Reason{Code: code, Text: tag + " " + failure(s.Machines[id], how), About: []string{tag}}
}
