package trial_test

import (
	"fmt"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/trial"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// A version on trial crashes at each of its starts. Two are allowed; before the third start
// the launcher goes back.
func Example() {
	to, err := version.ParseBinary("1.25.1-trusty-amd64")
	if err != nil {
		fmt.Println(err)
		return
	}
	j := install.Journal{
		Phase: install.PhaseTrial, Good: "1.24.0-trusty-amd64", Trial: &install.Trial{},
		Order: &install.Order{ID: "o1", Tools: tools.Tools{Version: to, SHA256: "d1"}},
	}
	crash := events.Failure{Step: "trial", Cause: events.CauseVersion, Code: "crashed", Text: "it exited with code 2"}
	const attempts = 2
	for start := 1; ; start++ {
		v := trial.Decide(j, to.String(), trial.Moment{BootID: "b"}, attempts)
		if v.Back != nil {
			j = trial.RolledBack(j, *v.Back)
			fmt.Printf("go back to %s: %s\n", j.Good, j.Failure.Text)
			fmt.Println("refused from now on:", j.Denied["d1"] != "")
			return
		}
		fmt.Printf("start %d: the journal counts attempt %d\n", start, v.Journal.Trial.Attempts)
		j, _ = trial.Ended(v.Journal, trial.Run{Version: to.String(), Failure: crash, Lasted: time.Second}, attempts, time.Minute)
	}
	// Output:
	// start 1: the journal counts attempt 1
	// start 2: the journal counts attempt 2
	// go back to 1.24.0-trusty-amd64: version 1.25.1-trusty-amd64 did not prove itself in 2 starts: it exited with code 2
	// refused from now on: true
}
