package events_test

import (
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// asks is a full request of each action that can wait for approval, and what a person reads before
// agreeing to it: all of it, and nothing that looks like another part.
var asks = map[string]struct {
	ask  events.Ask
	want string
}{
	events.ActionUpgrade: {events.Ask{
		Machines: &events.MachineList{Count: 3},
		Upgrade: &events.AskUpgrade{
			To: version.Number{Major: 1, Minor: 25}, Rollback: true, Reset: true,
			Artefacts: []tools.Tools{{Version: version.Binary{Number: version.Number{Major: 1, Minor: 25}, Series: "trusty", Arch: "amd64"}, SHA256: "ab"}},
		},
	}, `upgrade 3 machines to 1.25.0; those that run a newer version go back to it; an upgrade in progress is aborted
1.25.0-trusty-amd64  sha256 ab`},
	events.ActionDeploy: {events.Ask{Deploy: &events.AskDeploy{
		Service: "web", Machine: "1", Command: []string{"/bin/sh", "-c", "id >x\n], restart never"}, Env: map[string]string{"B": "2", "A": "1"},
	}}, `run on machine 1 as root, as a unit of web: ["/bin/sh" "-c" "id >x\n], restart never"], restart always, environment ["A" "B"]
environment "A"="1"
environment "B"="2"`},
	events.ActionAddUnit: {events.Ask{AddUnit: &events.AskAddUnit{
		Service: "web: [\"/bin/true\"]", Machine: "1", Command: []string{"serve"}, Restart: "never",
		User: events.UserOwn, Secrets: &events.Secrets{Names: []string{"KEY"}, Box: []byte("box")},
	}}, `run once more on machine 1 as a user of its own, as a unit of "web: [\"/bin/true\"]": ["serve"], restart never, environment ["KEY"]
environment ["KEY"]: sealed for the machine, nobody else can read it; sha256 26f8567f2569182294c3fa5b9f9cb2270b554eef628b4c149cf82a42888ff4ae`},
	events.ActionResolved: {events.Ask{Resolved: "7"}, "let machine 7 try again the versions that failed there"},
	events.ActionSetEnv:   {events.Ask{SetEnv: map[string]string{"tools-source": "/x", "a b": ""}}, `set "a b" to "", tools-source to "/x"`},
	events.ActionUnsetEnv: {events.Ask{UnsetEnv: []string{"enrol-policy", "tools-source"}}, "set back to their defaults: enrol-policy, tools-source"},
}

func TestWhatWaitsIsSaidInWords(t *testing.T) {
	for name, a := range events.Actions {
		if _, told := asks[name]; !told && a.Agree != events.OneAgrees {
			t.Errorf("%s may wait for approval, and nothing says it in words", name)
		}
	}
	for name, c := range asks {
		c.ask.Action = name
		if got := strings.Join(c.ask.InWords(), "\n"); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}
