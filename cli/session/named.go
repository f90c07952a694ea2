package session

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
)

// maxListed is how many machines are shown one by one before they are signed.
const maxListed = 5

// named are the machines that an operator typed. ok is false when not all were typed as
// machines: an ask about every machine, or about a unit, which lives on some machine.
func named(ask events.Ask) (ids []string, ok bool) {
	switch {
	case ask.Deploy != nil:
		ids = []string{ask.Deploy.Machine}
	case ask.AddUnit != nil:
		ids = []string{ask.AddUnit.Machine}
	case ask.Resolved != "":
		ids = []string{ask.Resolved}
	case ask.Restart != nil && !ask.Restart.All:
		for _, tag := range ask.Restart.Tags {
			ids = append(ids, strings.TrimPrefix(tag, "machine-"))
		}
	}
	return ids, len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !events.IsMachine(id) })
}

// onlyNamed refuses machines that were not typed, where machines were.
func onlyNamed(ask events.Ask, machines []warrant.Machine) error {
	ids, ok := named(ask)
	if !ok {
		return nil
	}
	for _, m := range machines {
		if !slices.Contains(ids, m.ID) {
			return app.Fail(fmt.Errorf("the state server says that %s of %s is about machine %s, too", ask.Action, strings.Join(ids, ", "), m.ID),
				"Nothing was asked.", "find out who answers as the state server")
		}
	}
	return nil
}

// inWords says for which machines something is signed: each with its key or, of many, how
// many and the digest of their ids and keys, which others can compare.
func inWords(machines []warrant.Machine, signed *events.MachineList) string {
	if len(machines) > maxListed {
		return fmt.Sprintf("It is signed for %d machines; the digest of their ids and keys is %x", signed.Count, signed.Root)
	}
	list := make([]string, 0, len(machines))
	for _, m := range machines {
		list = append(list, fmt.Sprintf("machine %s (key %s)", m.ID, m.Key))
	}
	return "It is signed for " + strings.Join(list, ", ")
}
