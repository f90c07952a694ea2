package warrant

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// Metadata is the signed metadata that a Reader believes; tuf.Trusted is one.
type Metadata interface {
	Roster() events.Roster
	Floor() version.Number
	Revoked() events.Revoked
	Tools(want tools.Tools) error // nil: release managers signed the archive with this digest
}

// Reader checks warrants for one environment, with what it believes and at one time.
type Reader struct {
	Environment string // UUID
	Trust       Metadata
	Now         time.Time
	// Fresh is when the metadata ends. From then on it may hide a revocation, and lets a machine
	// start and stop nothing. Zero: it is not looked at, as a state server does that judges
	// requests by the metadata it publishes itself.
	Fresh time.Time
}

// Freshness refuses metadata that has ended. Order, Plain and Unit ask for it last.
func (r Reader) Freshness() error {
	if r.Fresh.IsZero() || r.Now.Before(r.Fresh) {
		return nil
	}
	return events.Refuse(events.CodeTUFExpired, "the signed metadata ended at %s; nothing newer was published", r.Fresh.UTC().Format(time.RFC3339))
}

// Check returns the request of a warrant if the warrant is lawful for a machine, and an *events.Reason if
// it is not. The caller must still compare what is asked with what it is ordered to do: see Order, Plain
// and Unit.
func (r Reader) Check(w events.Warrant, m Machine) (events.Ask, error) {
	ask, by, err := r.Request(w.Request)
	if err != nil {
		return ask, err
	}
	if err := May(by, ask.Action, []Machine{m}); err != nil {
		return ask, err
	}
	if err := r.quorum(w, ask, by, []Machine{m}); err != nil {
		return ask, err
	}
	if !holds(ask.Machines, w, m) {
		return ask, events.Refuse(events.CodeNotInRequest, "machine %s is not among the machines that request %s was signed for", m.ID, ask.ID)
	}
	return ask, r.window(ask)
}

// Request reads a request and finds the operator who signed it. The request must be signed under
// events.RequestType, by an operator on the roster whose key is not revoked, for this environment, and it
// must not be revoked itself.
func (r Reader) Request(b []byte) (events.Ask, events.Operator, error) {
	return r.statement(b, func(action string) bool { return action != events.ActionApprove }, events.RequestType)
}

// Author finds the operator who signed what events.ParseSigned has read: a request or an approval, each
// signed under its own type.
func (r Reader) Author(signed events.Signed, ask events.Ask) (events.Operator, error) {
	return r.author(signed, ask, func(string) bool { return true }, events.SignedType(ask.Action))
}

// Unreadable is the refusal of bytes that events.ParseSigned cannot read; err is its error.
func Unreadable(err error) error { return events.Refuse(events.CodeRequestSignature, "%v", err) }

func (r Reader) statement(b []byte, fits func(action string) bool, kind string) (events.Ask, events.Operator, error) {
	signed, ask, err := events.ParseSigned(b)
	if err != nil {
		return ask, events.Operator{}, Unreadable(err)
	}
	by, err := r.author(signed, ask, fits, kind)
	return ask, by, err
}

func (r Reader) author(signed events.Signed, ask events.Ask, fits func(action string) bool, kind string) (by events.Operator, err error) {
	if err := events.CheckSignature(signed.Key, events.PAE(kind, signed.Statement), signed.Signature); err != nil {
		return by, events.Refuse(events.CodeRequestSignature, "%v", err)
	}
	by, ok := r.Trust.Roster().Operator(signed.Key)
	revoked := r.Trust.Revoked()
	switch {
	case !ok:
		err = events.Refuse(events.CodeRequestOperator, "the key %s is no operator's", signed.Key)
	case slices.Contains(revoked.Keys, signed.Key):
		err = events.Refuse(events.CodeRequestOperator, "the key %s of %s is revoked", signed.Key, by.Name)
	case !fits(ask.Action):
		err = events.Refuse(events.CodeRequestSignature, "the statement %s asks for %s, but is signed under the type of another statement", ask.ID, ask.Action)
	case ask.Environment != r.Environment:
		err = events.Refuse(events.CodeOtherEnvironment, "request %s is for environment %s, this one is %s", ask.ID, ask.Environment, r.Environment)
	case slices.Contains(revoked.Requests, ask.ID):
		err = events.Refuse(events.CodeRequestRevoked, "request %s was taken back", ask.ID)
	}
	return by, err
}

// window refuses a request that machines may not begin now.
func (r Reader) window(ask events.Ask) error {
	until := ask.LastStart()
	if r.Now.After(until) {
		return events.Refuse(events.CodeRequestExpired, "request %s was for machines to begin by %s; the clock here says %s", ask.ID,
			until.UTC().Format(time.RFC3339), r.Now.UTC().Format(time.RFC3339))
	}
	if ask.Created.After(r.Now.Add(maxSkew)) {
		return events.Refuse(events.CodeRequestExpired, "request %s was signed at %s; the clock here says %s", ask.ID, ask.Created.UTC().Format(time.RFC3339),
			r.Now.UTC().Format(time.RFC3339))
	}
	return nil
}

// maxSkew is how far an operator's clock may run ahead of a machine's.
const maxSkew = time.Hour

// quorum refuses a request to which too few operators agree.
func (r Reader) quorum(w events.Warrant, ask events.Ask, by events.Operator, machines []Machine) error {
	agreed, last := r.Agreed(w, ask, by, machines)
	needed := Needed(r.Trust.Roster(), ask, machines)
	if len(agreed) >= needed {
		return nil
	}
	err := events.Refuse(events.CodeRequestQuorum, "%d operators agree, %d must", len(agreed), needed)
	if last != nil {
		err.Text += "; an approval does not count: " + last.Error()
	}
	return err
}

// Agreed are the keys of those who agree to a request: who asked for it, and who approved its exact
// bytes and may approve it; each key counts once. The error says why the last of the others does not count.
func (r Reader) Agreed(w events.Warrant, ask events.Ask, by events.Operator, machines []Machine) (keys []string, last error) {
	keys = []string{by.Key}
	for _, b := range w.Approvals {
		who, err := r.Approval(b, ask.ID, w.Request, machines)
		switch {
		case err != nil:
			last = err
		case !slices.Contains(keys, who.Key):
			keys = append(keys, who.Key)
		}
	}
	return keys, last
}

// Approval reads an approval of a request and finds the operator who signed it. That operator must have
// the role for every one of these machines.
func (r Reader) Approval(b []byte, id string, request []byte, machines []Machine) (events.Operator, error) {
	ask, by, err := r.statement(b, func(action string) bool { return action == events.ActionApprove }, events.ApprovalType)
	if err != nil {
		return by, err
	}
	if ask.Approve == nil || ask.Approve.Request != id || ask.Approve.SHA256 != Digest(request) {
		return by, events.Refuse(events.CodeRequestQuorum, "the approval of %s is for another request than these bytes", by.Name)
	}
	return by, May(by, events.ActionApprove, machines)
}

// Digest names the exact bytes of a request in an approval.
func Digest(request []byte) string {
	sum := sha256.Sum256(request)
	return hex.EncodeToString(sum[:])
}
