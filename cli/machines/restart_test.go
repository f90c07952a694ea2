package machines_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
	"github.com/jujube-project/jujube/events"
)

// What restart-agent --wait waits for ends in one of three ways; for an agent that restarts
// anyway it is the order that it had before.
func TestRestartsEnd(t *testing.T) {
	c := servers.NewClient(t)
	c.Judge(func(ask events.Ask) {
		got := servers.Received(ask).Request
		decided := []events.Payload{&events.RestartRequested{Request: got, Machines: []string{"1", "2", "3", "4"}}}
		for _, m := range []string{"1", "2", "3"} {
			decided = append(decided, &events.RestartOrdered{Order: "order-" + m, Machine: m})
		}
		c.Append(ask.ID, decided...)
		c.Append(ask.ID, restartDone(t, "1", "order-1"))
		c.Append(ask.ID, &events.OrderSuperseded{Order: "order-2", Machine: "2", Reason: "the machine was removed"})
		c.Append(ask.ID, &events.OrderTimedOut{Order: "order-3", Machine: "3"})
		c.Append("", restartDone(t, "4", "order-of-before"))
	})
	code, said := c.Juju("restart-agent --all --wait", "", nil)
	c.MustSay(code, clitest.Failed, said, "3 agents were ordered to restart", "Restarting anyway, for an order that they have already: machine-4",
		"machine-1 is back", "machine-2 did not restart: the machine was removed", "machine-3 did not restart: its order ran out of time", "machine-4 is back")
}

func restartDone(t *testing.T, machine, order string) events.Payload {
	t.Helper()
	var done events.RestartDone
	b := fmt.Sprintf(`{"machine":%q,"epoch":"e","n":1,"order":%q,"pid":7}`, machine, order)
	if err := json.Unmarshal([]byte(b), &done); err != nil {
		t.Fatal(err)
	}
	return &done
}
