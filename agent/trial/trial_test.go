package trial_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/trial"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

const (
	good     = "1.24.0-trusty-amd64"
	tried    = "1.25.1-trusty-amd64"
	attempts = 3
	settle   = time.Minute
)

func onTrial(t *testing.T, starts int) install.Journal {
	t.Helper()
	v, err := version.ParseBinary(tried)
	if err != nil {
		t.Fatal(err)
	}
	return install.Journal{
		Phase: install.PhaseTrial, Good: good, Seq: 7, Trial: &install.Trial{Attempts: starts},
		Order: &install.Order{ID: "o1", Tools: tools.Tools{Version: v, SHA256: "d"}},
	}
}

func crashed(v string, lasted time.Duration) trial.Run {
	f := events.Failure{Step: "trial", Cause: events.CauseVersion, Code: "crashed", Text: "it exited", Output: "oh"}
	return trial.Run{Version: v, Failure: f, Lasted: lasted}
}

func TestStartsOfATrial(t *testing.T) {
	said := &events.Failure{Step: "trial", Cause: events.CauseVersion, Code: "crashed", Text: "it exited"}
	late := &events.Failure{Step: "trial", Cause: events.CauseVersion, Code: events.CodeUnhealthy, Text: "in time"}
	for name, c := range map[string]struct {
		starts   int
		last     *events.Failure
		noReturn string
		cause    string // of going back; empty: it is started
	}{
		"the first":                        {0, nil, "", ""},
		"after a crash":                    {1, said, "", ""},
		"after a reboot":                   {2, nil, "", ""},
		"all have crashed":                 {3, said, "", events.CauseVersion},
		"the host stopped in each":         {3, nil, "", events.CauseEnvironment},
		"its time was used up":             {1, late, "", events.CauseVersion},
		"its time, and there is no return": {1, late, "a step", ""},
		"crashed, and there is no return":  {9, said, "a step", ""},
	} {
		j := onTrial(t, c.starts)
		j.Failure, j.NoReturn = c.last, c.noReturn
		v := trial.Decide(j, good, trial.Moment{BootID: "b", Since: time.Hour}, attempts)
		if c.cause != "" {
			if v.Back == nil || v.Back.Cause != c.cause {
				t.Errorf("%s: back %+v, want cause %s", name, v.Back, c.cause)
			}
			continue
		}
		if v.Back != nil || v.Switch != tried || !v.Write || v.Journal.Trial.Attempts != c.starts+1 || v.Journal.Trial.Started != int64(time.Hour) {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestAKeptVersionIsGuarded(t *testing.T) {
	kept := trial.Committed(onTrial(t, 1))
	if kept.Good != tried || kept.Last != good || kept.Guard == nil {
		t.Fatalf("kept: %+v", kept)
	}
	j, back := kept, false
	for n := range attempts {
		if back {
			t.Fatalf("taken back after %d crashes", n)
		}
		j, back = trial.Ended(j, crashed(tried, time.Second), attempts, settle)
	}
	if !back || j.Phase != install.PhaseRolledBack || j.Good != good || j.Order.ID != "o1" || j.Failure.Step != events.StepAfterCommit || j.Denied["d"] == "" {
		t.Errorf("after %d crashes: back %v, %+v", attempts, back, j)
	}
	if j, back = trial.Ended(kept, crashed(tried, settle), attempts, settle); back || j.Guard != nil {
		t.Errorf("one that lived is still guarded: %+v", j)
	}
	asked := crashed(tried, time.Second)
	asked.Asked = true
	if j, back = trial.Ended(kept, asked, 1, settle); back || j.Guard.Crashes != 0 {
		t.Errorf("an ordered restart counted as a crash: %+v", j)
	}
}

// An order that came to the rescue is looked at again by the version that runs then.
func TestAnOrderInWorkIsLookedAtAgain(t *testing.T) {
	j := trial.Committed(onTrial(t, 1))
	j.Phase, j.Order, j.Seq = install.PhaseAccepted, &install.Order{ID: "o2"}, 9
	j, back := trial.Ended(j, crashed(tried, time.Second), 1, settle)
	if !back || j.Seq != 8 || j.Order.ID != "o1" {
		t.Errorf("back %v: %+v", back, j)
	}
}

// A version that has never proved itself can be Good, if nothing before it can come back. When the
// version after it is rolled back, it is Good again, and still counts as unproven.
func TestAnUnprovenVersionComesBackUnproven(t *testing.T) {
	tried1 := onTrial(t, 1)
	tried1.Unproven = "burn the bridge"
	j, back := trial.Committed(tried1), false
	if j.Unproven != "" {
		t.Fatalf("what is kept has proved itself: %+v", j)
	}
	for range attempts {
		j, back = trial.Ended(j, crashed(tried, time.Second), attempts, settle)
	}
	if !back || j.Good != good || j.Unproven != "burn the bridge" {
		t.Errorf("back %v: %+v", back, j)
	}
}

func TestOutputsFitIntoRecords(t *testing.T) {
	f := events.Failure{Step: "trial", Cause: events.CauseVersion, Code: "crashed", Text: strings.Repeat("ä", 5000), Output: "x" + strings.Repeat("€", 5000)}
	j := trial.RolledBack(onTrial(t, 3), f)
	if !utf8.ValidString(j.Failure.Output) || !utf8.ValidString(j.Failure.Text) || len(j.Failure.Output) > 8000 || len(j.Failure.Text) > 4000 {
		t.Errorf("%d bytes of output, %d of text", len(j.Failure.Output), len(j.Failure.Text))
	}
}
