package decide

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections/targets"
)

// An action has its role and says whether it lets machines run something (package events),
// which machines it is about (package targets), its judge (here), and its story in testdata:
// all of them, or none.
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
		if _, err := os.Stat(filepath.Join("testdata", name+".txt")); err != nil {
			t.Errorf("%s: no story tells what is decided on it: %v", name, err)
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
