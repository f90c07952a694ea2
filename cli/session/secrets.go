package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
)

// Environment is what the command of a unit will find in its environment. The values leave this
// client only sealed for the machine. The zero Environment is empty.
type Environment struct {
	Values map[string]string
	Key    string // public nkey of the machine, which was typed or proved; never told by the state server
}

// sealedLength is what the length of sealed values is a multiple of: it tells little of theirs.
const sealedLength = 256

// seal puts the values into an ask for a unit, for its machine, for this request, and for the
// operator who will sign it.
func (e Environment) seal(ask events.Ask, machines []warrant.Machine, operatorKey string) (events.Ask, error) {
	asked := ask.UnitAsked()
	if asked == nil || len(e.Values) == 0 {
		return ask, nil
	}
	if len(machines) != 1 || machines[0].Key != e.Key {
		return ask, app.Fail(fmt.Errorf("the state server says that the unit's machine has another key than %s", e.Key), "Nothing was asked.",
			"find out who answers as the state server; if a host was enrolled anew as that machine, the same again")
	}
	text, err := json.Marshal(e.Values)
	if err != nil {
		return ask, err
	}
	text = append(text, bytes.Repeat([]byte{' '}, sealedLength-len(text)%sealedLength)...)
	box, err := bus.Seal(e.Key, events.SecretsOf(ask.Environment, machines[0].ID, ask.ID, operatorKey), text)
	if err != nil {
		return ask, err
	}
	sealed := *asked
	sealed.Secrets = &events.Secrets{Names: slices.Sorted(maps.Keys(e.Values)), Box: box}
	if ask.Action == events.ActionAddUnit {
		ask.AddUnit = (*events.AskAddUnit)(&sealed)
	} else {
		ask.Deploy = &sealed
	}
	return ask, nil
}
