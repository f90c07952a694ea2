package decide

import (
	"maps"
	"slices"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections/targets"
)

// An action has its role and says whether it lets machines run something (package events),
// which machines it is about (package targets), and its judge (here): all of them, or none.
func TestEveryActionIsInEveryTable(t *testing.T) {
	if len(events.Actions) == 0 {
		t.Fatal("there are no actions")
	}
	for _, name := range slices.Sorted(maps.Keys(events.Actions)) {
		if events.Actions[name].Role == "" {
			t.Errorf("%s: no role lets an operator ask for it", name)
		}
		if !targets.Known(name) {
			t.Errorf("%s: it is not said which machines it is about", name)
		}
		if judges[name] == nil {
			t.Errorf("%s: nobody judges it", name)
		}
	}
	for name := range judges {
		if _, ok := events.Actions[name]; !ok {
			t.Errorf("%s has a judge and no role", name)
		}
	}
	if got := len(targets.Actions()); got != len(events.Actions) {
		t.Errorf("package targets knows %d actions, there are %d", got, len(events.Actions))
	}
}
