package session

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
)

// The values of a unit's environment are signed only sealed, for a key that no state server told.
func TestValuesAreSealedForTheMachine(t *testing.T) {
	machine, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	env := Environment{Values: map[string]string{"TOKEN": "hunter2", "MODE": "once"}, Key: machine.Public()}
	typed := &events.AskDeploy{Service: "web", Machine: "3", Command: []string{"serve"}}
	for _, ask := range []events.Ask{
		{Action: events.ActionDeploy, Deploy: typed}, {Action: events.ActionAddUnit, AddUnit: (*events.AskAddUnit)(typed)},
	} {
		ask.ID, ask.Environment = "q1", "uuid"
		sealed, err := env.seal(ask, []warrant.Machine{{ID: "3", Key: machine.Public()}}, "OPERATOR")
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(sealed)
		if err != nil || bytes.Contains(b, []byte("hunter2")) {
			t.Errorf("what is signed is %s, %v", b, err)
		}
		s := sealed.UnitAsked().Secrets
		if strings.Join(s.Names, " ") != "MODE TOKEN" {
			t.Errorf("it names %q", s.Names)
		}
		text, err := machine.Open(events.SecretsOf("uuid", "3", "q1", "OPERATOR"), s.Box)
		var values map[string]string
		if err != nil || json.Unmarshal(text, &values) != nil || values["TOKEN"] != "hunter2" || len(text)%sealedLength != 0 {
			t.Errorf("the machine reads %q, %v", text, err)
		}
		if typed.Secrets != nil {
			t.Error("what was typed was changed: it may be asked again, under another id")
		}
		if _, err := env.seal(ask, []warrant.Machine{{ID: "3", Key: "UOTHER"}}, "OPERATOR"); err == nil || !strings.Contains(err.Error(), "another key") {
			t.Errorf("another key than was proved: %v", err)
		}
	}
}
