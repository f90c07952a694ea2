package projections

import (
	"testing"

	"github.com/jujube-project/jujube/events"
)

// Who adds a kind says what must lead to it: a record of a kind without a cause is believed by nobody.
func TestEveryKindHasACause(t *testing.T) {
	kinds := events.Kinds()
	for _, kind := range kinds {
		if causes[kind] == nil {
			t.Errorf("%s has no row in the table causes", kind)
		}
	}
	if len(causes) != len(kinds) {
		t.Errorf("%d causes for %d kinds", len(causes), len(kinds))
	}
}
