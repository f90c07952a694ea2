package audit

import (
	"strings"
	"time"

	"github.com/jujube-project/jujube/projections/glob"
)

// Filter chooses entries. An entry must fit every field that is set; the zero Filter chooses all entries.
type Filter struct {
	Machine string    // id ("3") or tag ("machine-3")
	Upgrade string    // id of an upgrade or a request, or the beginning of one
	Actor   string    // "operator-alice", or "alice"; * stands for any text
	Kind    string    // "order.*"; the version may be left out; * stands for any text
	Since   time.Time // the first moment; zero: from the start
	Until   time.Time // the first moment that is too late; zero: to the end
	From    uint64    // sequence; 0: from the start
	To      uint64    // sequence, included; 0: to the end
}

// Match says whether the filter chooses e.
func (f Filter) Match(e Entry) bool {
	switch {
	case f.Machine != "" && !f.machine(e):
	case f.Upgrade != "" && !strings.HasPrefix(e.Correlation, f.Upgrade):
	case f.Actor != "" && !glob.Match(f.Actor, e.Actor) && !glob.Match(f.Actor, strings.TrimPrefix(e.Actor, "operator-")):
	case f.Kind != "" && !f.kind(e.What):
	case !f.Since.IsZero() && e.Time.Before(f.Since):
	case !f.Until.IsZero() && !e.Time.Before(f.Until):
	case e.Seq < f.From || f.To > 0 && e.Seq > f.To:
	default:
		return true
	}
	return false
}

func (f Filter) machine(e Entry) bool {
	id := strings.TrimPrefix(f.Machine, "machine-")
	tag := "machine-" + id
	return e.Machine == id || e.Subject == tag || e.Actor == tag
}

func (f Filter) kind(kind string) bool {
	name, _, _ := strings.Cut(kind, "/")
	return glob.Match(f.Kind, kind) || glob.Match(f.Kind, name)
}
