package status_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/projections/scenario"
	"github.com/jujube-project/jujube/projections/status"
)

// A machine refuses what comes out of a log that went back. Status says so until its agent starts anew.
func TestB15MachinesThatSawMoreOfTheLogAreShown(t *testing.T) {
	log := scenario.New().Lines("env demo 1.24.0\nenrol 1 1.24.0\nstart 1 1.24.0")
	refused := &events.OrderRefused{Record: "restart.ordered/1", Order: "o1", Code: tree.CodeFork, Text: "the newest lies at 3"}
	refused.SetHead(events.ReportHead{Machine: "1", Epoch: "another", N: 1})
	rec, err := events.New(events.Envelope{ID: "r", Time: time.Unix(9, 0), Actor: "machine-1"}, refused)
	if err != nil {
		t.Fatal(err)
	}
	log.Record(rec)
	m := status.Make(fold(log.Records)).Machines[0].Value
	if m.AgentState != status.AgentError || !strings.Contains(m.AgentStateInfo, "obeys no order (log-fork): the newest lies at 3") {
		t.Errorf("%s: %s", m.AgentState, m.AgentStateInfo)
	}
	log.Lines("start 1 1.24.0")
	if m := status.Make(fold(log.Records)).Machines[0].Value; m.AgentState != status.AgentStarted {
		t.Errorf("after its start: %s: %s", m.AgentState, m.AgentStateInfo)
	}
}
