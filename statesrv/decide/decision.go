package decide

import (
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/projections"
)

// At is what a decision may look at besides its input: the state it is made on, when it is
// made, and where new ids come from.
type At struct {
	State *projections.State // it is read and never changed
	Now   time.Time          // UTC
	NewID func() string      // gives an id that was never given out
}

// Decision is what follows from one input: facts for the log, and what is wanted beside
// them. The zero Decision says that nothing happened.
type Decision struct {
	Facts []Fact // they are recorded together, in this order, or not at all
	Wants []Want // what is done once Facts are on disk; it is lost with them

	// Otherwise gives the facts to record instead if the log cannot hold Facts, because one
	// of them is malformed or too large. nil: then nothing is recorded, and err is the end.
	Otherwise func(err error) []Fact

	// Again asks for another plan as soon as this decision is on disk: something that
	// follows from it can only be decided then.
	Again bool
}

// Fact is one thing that a decision says has happened.
type Fact struct {
	ID          string // of its record; empty: a new one. It is given here where a later fact names it as its cause
	Actor       string // who did it; empty: the state server
	Cause       string // id of what led to it; may be empty
	Correlation string // id of the request or upgrade that it belongs to; may be empty
	Payload     events.Payload

	// Report is a machine's report, which goes into the log byte for byte with its
	// signature. Payload is nil then.
	Report *events.Record

	// Proof asks whoever records an order to prove in it that its request lies in the log.
	// An order whose proof cannot be made is left out, and is planned again.
	Proof *Inclusion
}

// Inclusion says which proof an order needs: that the record at Seq lies in the log, for a
// machine that remembers a checkpoint of one of the sizes in Heads, or none.
type Inclusion struct {
	Machine string // id
	Seq     uint64
	Heads   []uint64
}

// Want is something to do once a decision is on disk. Each may be done twice.
type Want interface{ want() }

// FetchTools wants an archive fetched from a source of tools into the object store.
type FetchTools struct{ Tools tools.Tools }

// ForgetFetch wants forgotten how fetching an archive went: it was given up, and whoever
// wants it later begins anew.
type ForgetFetch struct{ SHA256 string }

// RemoveTools wants an archive removed from the object store that nobody has signed and another one has
// replaced.
type RemoveTools struct{ SHA256 string }

func (FetchTools) want()  {}
func (ForgetFetch) want() {}
func (RemoveTools) want() {}

// facts is a decision of facts that the state server itself states, without a cause.
func facts(payloads ...events.Payload) Decision {
	var d Decision
	for _, p := range payloads {
		d.Facts = append(d.Facts, Fact{Payload: p})
	}
	return d
}
