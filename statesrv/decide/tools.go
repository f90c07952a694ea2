package decide

import (
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/projections"
)

// codeUnsigned: tools from a source without signatures need a word that allows that.
const codeUnsigned = "unsigned"

// judgeSyncTools notes that tools are on their way, who vouches for them, and what their
// publisher says of versions.
func judgeSyncTools(q *inquiry) verdict {
	a := q.ask.SyncTools
	switch {
	case a == nil || len(a.Wanted)+len(a.Marks) == 0:
		return verdict{reasons: refuse(codeMalformed, "the request names no tools")}
	case (a.SignedBy == "") != a.Unsigned:
		return verdict{reasons: refuse(codeUnsigned, "the request must say either who signed the source's metadata, or that nobody did")}
	}
	v := verdict{received: &events.ToolsSyncRequested{Request: q.req, Source: a.Source, Wanted: a.Wanted, SignedBy: a.SignedBy, Unsigned: a.Unsigned}}
	if a.SignedBy != "" && !signer(q.State, a.SignedBy) {
		v.reasons = refuse(codeUnsigned, "the source is signed by %s, whose signature this environment does not believe; if it should: "+
			"juju trust publishers --add-signer %s", a.SignedBy, a.SignedBy)
		return v
	}
	for _, m := range a.Marks {
		if q.State.Marks.News(m.Version, tools.Publisher(a.SignedBy, a.Source), tools.Said{Marks: m.Marks, Signing: a.Signing}) {
			v.decided = append(v.decided, &events.ToolsMarked{Version: m.Version, Marks: m.Marks, Source: a.Source, SignedBy: a.SignedBy, Signing: a.Signing})
		}
	}
	return v
}

func signer(s *projections.State, key string) bool {
	return slices.Contains(s.Publishers().Signers, key)
}
