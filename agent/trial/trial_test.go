package trial

import (
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

const (
	old   = "1.24.0-trusty-amd64"
	newer = "1.25.1-trusty-amd64"
)

// onTrial is the journal of the newer version on trial, before its next start.
func onTrial(attempts int, noReturn string, failure *events.Failure) install.Journal {
	v, err := version.ParseBinary(newer)
	if err != nil {
		panic(err)
	}
	return install.Journal{
		Phase: install.PhaseTrial, Good: old, NoReturn: noReturn, Failure: failure,
		Order: &install.Order{ID: "o1", Tools: tools.Tools{Version: v, SHA256: "d", Size: 1}},
		Trial: &install.Trial{Attempts: attempts, BootID: "b1", Started: 5},
	}
}

// Each row: a trial before a start, and what is decided: back for whose fault, or one more
// attempt and where the link is to point.
func TestDecide(t *testing.T) {
	crashed := &events.Failure{Step: "trial", Cause: events.CauseVersion, Code: "crashed", Text: "it exited with code 1"}
	for name, c := range map[string]struct {
		j       install.Journal
		current string
		back    string
		to      string
		denied  bool
	}{
		"the first start":                    {onTrial(0, "", nil), newer, "", "", false},
		"the agent died before the link":     {onTrial(0, "", nil), old, "", newer, false},
		"its starts are spent, it crashed":   {onTrial(3, "", crashed), newer, "version crashed", "", true},
		"its starts are spent, by reboots":   {onTrial(3, "", nil), newer, "environment interrupted", "", false},
		"spent, but there is no way back":    {onTrial(3, "burn the bridge", crashed), newer, "", "", false},
		"no way back, and the link is wrong": {onTrial(9, "burn the bridge", crashed), old, "", newer, false},
	} {
		t.Run(name, func(t *testing.T) {
			now := Moment{BootID: "b1", Since: time.Minute}
			v := Decide(c.j, c.current, now, 3)
			if c.back == "" {
				if v.Back != nil || v.Switch != c.to || v.Journal.Trial.Attempts != c.j.Trial.Attempts+1 {
					t.Fatalf("%+v, back %v", v, v.Back)
				}
				if again := Decide(c.j, c.current, now, 3); *again.Journal.Trial != *v.Journal.Trial {
					t.Fatalf("cut off and done again it is %+v", again)
				}
				if whole := v.Journal.Trial.Started == int64(now.Since); whole != (c.j.NoReturn != "") {
					t.Fatalf("the budget begins at %d", v.Journal.Trial.Started)
				}
				return
			}
			if v.Back == nil || v.Back.Cause+" "+v.Back.Code != c.back {
				t.Fatalf("back: %+v, want %s", v.Back, c.back)
			}
			j := RolledBack(c.j, *v.Back)
			if _, denied := j.Denied["d"]; denied != c.denied || j.Phase != install.PhaseRolledBack || j.Good != old {
				t.Fatalf("the journal is %+v", j)
			}
		})
	}
}

func TestAReboot(t *testing.T) {
	v := Decide(onTrial(1, "", nil), newer, Moment{BootID: "b2", Since: time.Second}, 3)
	if tr := v.Journal.Trial; tr.Attempts != 2 || tr.BootID != "b2" || tr.Started != int64(time.Second) {
		t.Fatalf("a reboot counts as %+v", tr)
	}
}

func TestCommitted(t *testing.T) {
	if j := Committed(onTrial(1, "", nil)); j.Good != newer || j.Last != old || j.Guard == nil {
		t.Fatalf("%+v", j)
	}
	if j := Committed(onTrial(1, "burn the bridge", nil)); j.Good != newer || j.Guard != nil || j.NoReturn != "" {
		t.Fatalf("past the point of no return nothing can come back: %+v", j)
	}
}
