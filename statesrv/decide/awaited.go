package decide

import (
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
)

// MayAsk says whether a request was not judged yet and comes from an operator who may ask this of the
// machines that it is about. What takes time, such as asking the sources of tools, is done before the
// judgement, and only for such a request.
func MayAsk(at At, r Request) bool {
	if judges[r.Ask.Action] == nil || IsJudged(at.State, r) {
		return false
	}
	by, err := Authenticate(at, r)
	return err == nil && warrant.May(by, r.Ask.Action, targets.Of(at.State, r.Ask)) == nil
}

// Awaited says which archives the request for an upgrade names that are neither stored nor
// known to be offered: the sources of tools are to be asked again before it is judged. It
// names none for somebody who may not ask for that upgrade, and none for a request that has
// expired.
func Awaited(at At, r Request, know Known) []tools.Tools {
	if r.Ask.Upgrade == nil || at.Now.After(r.Ask.Expires) || !MayAsk(at, r) {
		return nil
	}
	return Missing(at.State, r.Ask.Upgrade, know)
}

// Missing says which archives of an upgrade are neither stored nor known to be offered.
func Missing(s *projections.State, a *events.AskUpgrade, know Known) []tools.Tools {
	return slices.DeleteFunc(slices.Clone(a.Artefacts), func(t tools.Tools) bool { return know.Has(s, t) })
}
