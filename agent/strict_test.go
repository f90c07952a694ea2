package agent

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
)

// A list of units that two readers could read in two ways is not read at all, though a state server
// signed it.
func TestB28RecordsAreReadStrictly(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"the units twice":                    {`"units"`, `"units":[],"units"`},
		"the units twice, in two cases":      {`"units"`, `"Units":[],"units"`},
		"a field that only looks like units": {`"units"`, `"unitſ"`},
		"bytes that are no UTF-8":            {`"web/0"`, "\"web/0\xff\""},
	} {
		t.Run(name, func(t *testing.T) {
			a := testAgent(t, &fakeBus{})
			t.Cleanup(func() { a.units.end(false) })
			list := &events.UnitsAssigned{Machine: "3", Number: 1, Units: []events.UnitSpec{unit(t, "web/0", "q1", "/bin/sleep", "60")}}
			rec := said(t, 1, list, "")
			rec.Data = bytes.Replace(rec.Data, []byte(c.before), []byte(c.after), 1)
			rec, err := rec.Signed(testkey.Of("state server"))
			if err != nil {
				t.Fatal(err)
			}
			a.hear(t.Context(), lawOf3(), rec)
			if got := fmt.Sprint(unitsOf(a), refusalsOf(t, a)); got != "[] []" {
				t.Errorf("it runs, and refused, %s", got)
			}
			a.hear(t.Context(), lawOf3(), said(t, 2, list, "state server"))
			if got := fmt.Sprint(unitsOf(a)); got != "[web/0]" {
				t.Errorf("the same list, well written: it runs %s", got)
			}
		})
	}
}
