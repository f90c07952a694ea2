package reason_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/jujube-project/jujube/events/reason"
)

func TestReasonInAnError(t *testing.T) {
	r := reason.Refuse("floor", "version %s is too old", "1.25.1")
	for _, c := range []struct {
		name, text, code string
		err              error
	}{
		{"alone", "floor: version 1.25.1 is too old", "floor", r},
		{"text first", "version 1.25.1 is too old (floor)", "floor", r.TextFirst()},
		{"wrapped", "judge: floor: version 1.25.1 is too old", "floor", fmt.Errorf("judge: %w", r)},
		{"wrapped, text first", "judge: version 1.25.1 is too old (floor)", "floor", fmt.Errorf("judge: %w", r.TextFirst())},
		{"another error", "out of paper", "", errors.New("out of paper")},
	} {
		if c.err.Error() != c.text || reason.CodeOf(c.err) != c.code {
			t.Errorf("%s: %q with the code %q, want %q with %q", c.name, c.err, reason.CodeOf(c.err), c.text, c.code)
		}
	}
	if got := reason.CodeOf(nil); got != "" {
		t.Errorf("the code of no error is %q", got)
	}
}

func TestReasonOnTheWire(t *testing.T) {
	b, err := json.Marshal(reason.Refuse("floor", "too old"))
	if want := `{"code":"floor","text":"too old"}`; err != nil || string(b) != want {
		t.Errorf("%s, %v; want %s", b, err, want)
	}
}
