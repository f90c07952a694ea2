package events_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events"
)

// EndsOrder is asked about a sample of every kind of fact. The kinds that end an order are named here once
// more, so that whoever adds one decides it twice.
func TestFactsThatEndAnOrder(t *testing.T) {
	want := []string{"agent.rolled_back/1", "agent.upgrade_failed/1", "agent.upgraded/1", "order.superseded/1", "order.timed_out/1", "restart.done/1"}
	var ending []string
	for _, fact := range samples {
		order, machine, ends := events.EndsOrder(fact)
		if ends {
			ending = append(ending, fact.Kind())
		}
		if ends != (order != "") || ends != (machine != "") {
			t.Errorf("%s ends an order: %v; order %q of machine %q", fact.Kind(), ends, order, machine)
		}
	}
	slices.Sort(ending)
	if ending = slices.Compact(ending); !slices.Equal(ending, want) {
		t.Errorf("orders are ended by\n%s\nwant\n%s", strings.Join(ending, "\n"), strings.Join(want, "\n"))
	}
}
