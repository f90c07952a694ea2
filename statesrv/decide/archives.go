package decide

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
)

// ErrOtherBytes: release managers have signed a version with other bytes than those that were offered.
var ErrOtherBytes = errors.New("a version that was signed is never replaced")

// Replaces is the error of storing other bytes under a version than those that release managers have signed. What
// nobody has signed yet gives way: it was only brought, and whoever brought it first must not keep the
// genuine archive out.
func Replaces(signed ArchiveList, t tools.Tools) error {
	if signed == nil {
		return nil
	}
	if err := signed.Tools(t); events.CodeOf(err) == events.CodeDigestDisagree {
		return fmt.Errorf("%w: %w: publish the other build under another number", err, ErrOtherBytes)
	}
	return nil
}

// Stored records, once, that a complete archive lies in the object store. correlation is the
// request that brought it; empty: the state server fetched it. The error is ErrOtherBytes.
// What it replaces is removed from the store: nobody can have been told to install it.
func Stored(at At, signed ArchiveList, stored events.ToolsStored, correlation string) (Decision, error) {
	if err := Replaces(signed, stored.Tools); err != nil {
		return Decision{}, err
	}
	old := at.State.Tools[stored.Tools.Version.String()]
	if old != nil && old.SHA256 == stored.Tools.SHA256 {
		return Decision{}, nil
	}
	if why := at.State.MayStore(stored, correlation); why != nil {
		return Decision{}, why
	}
	d := Decision{Facts: []Fact{{Correlation: correlation, Payload: &stored}}}
	if old != nil && !isStoredElsewhere(at.State, old.Tools) {
		d.Wants = []Want{RemoveTools{old.SHA256}}
	}
	return d, nil
}

// isStoredElsewhere says whether another version has the same bytes.
func isStoredElsewhere(s *projections.State, t tools.Tools) bool {
	for _, other := range s.Tools {
		if other.SHA256 == t.SHA256 && other.Version != t.Version {
			return true
		}
	}
	return false
}

// Missed records, once, why an archive of the upgrade in progress could not be fetched.
func Missed(at At, t tools.Tools, why error) Decision {
	u := at.State.Upgrade
	if u == nil || u.Missed[t.Version.String()] != "" || u.Artefacts[t.Version.Platform()] != t {
		return Decision{}
	}
	return Decision{Facts: []Fact{{Cause: u.ID, Correlation: u.ID, Payload: &events.ToolsMissed{Tools: t, Reason: clip(why.Error(), maxReason)}}}}
}

// Listing is what one source of tools has said.
type Listing struct {
	Source   string
	SignedBy string // who signed its metadata; empty: nobody
	Signing  uint64 // counter of that metadata
	Found    []simplestreams.Found
	Err      error // why it could not be read; then nothing was found
}

// Sources records which sources of tools are lost, and which have returned.
func Sources(at At, listings []Listing) Decision {
	wrong := map[string]error{}
	for _, l := range listings {
		if l.Err != nil {
			wrong[l.Source] = l.Err
		}
	}
	var changed []events.Payload
	for _, name := range sortedKeys(at.State.Lost) {
		if wrong[name] == nil {
			changed = append(changed, &events.SourceReturned{Source: name})
		}
	}
	for _, name := range sortedKeys(wrong) {
		if at.State.Lost[name] == nil {
			changed = append(changed, &events.SourceLost{Source: name, Reason: clip(wrong[name].Error(), maxReason)})
		}
	}
	return facts(changed...)
}

// maxMarks bounds the marks of one source that are recorded at a time. The rest is recorded when the source
// is asked again.
const maxMarks = limits.Marks

// Marks records what a source says of versions, so that it still holds when the source is lost.
func Marks(at At, l Listing) Decision {
	if l.Err != nil {
		return Decision{}
	}
	var news []events.Payload
	marks := simplestreams.Marks(l.Found)
	for _, m := range sortedMarks(marks) {
		if len(news) < maxMarks && at.State.Marks.News(m.Version, tools.Publisher(l.SignedBy, l.Source), tools.Said{Marks: m.Marks, Signing: l.Signing}) {
			news = append(news, &events.ToolsMarked{Version: m.Version, Marks: m.Marks, Source: l.Source, SignedBy: l.SignedBy, Signing: l.Signing})
		}
	}
	return facts(news...)
}

func sortedMarks(marks map[version.Number]tools.Marks) []tools.Marked {
	sorted := make([]tools.Marked, 0, len(marks))
	for n, m := range marks {
		sorted = append(sorted, tools.Marked{Version: n, Marks: m})
	}
	slices.SortFunc(sorted, func(a, b tools.Marked) int { return a.Version.Compare(b.Version) })
	return sorted
}
