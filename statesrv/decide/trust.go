package decide

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/projections"
)

// Codes of refusals of a publication, beside those of package tuf.
const (
	codeTrustStale   = "trust-stale"   // somebody else has published since it was begun
	codeTrustLockout = "trust-lockout" // nobody could change or order anything afterwards
	codeTrustMissing = "trust-missing" // the bundle was not staged
)

// judgeTrust publishes what was staged, if it was found good.
func judgeTrust(q *inquiry) verdict {
	switch {
	case q.ask.Trust == nil:
		return verdict{reasons: refuse(codeMalformed, "the request names no bundle")}
	case events.CodeOf(q.Unpublishable) != "":
		return verdict{reasons: reasonsOf(q.Unpublishable)}
	case q.Unpublishable != nil:
		return verdict{reasons: refuse(codeMalformed, "the bundle cannot be published: %v", q.Unpublishable)}
	case q.Publication == nil:
		return verdict{reasons: refuse(codeTrustMissing, "the bundle %.12s… was not staged here, or another state server leads by now: hand it over again",
			q.ask.Trust.Bundle.SHA256)}
	}
	return verdict{decided: q.Publication.payloads(q.State)}
}

// Publication is metadata that is to be published.
type Publication struct {
	Fact   events.TrustPublished
	Bundle tuf.Bundle // the documents that prove Fact
}

// payloads are the documents that the log does not have yet, in parts, and the fact.
func (p *Publication) payloads(s *projections.State) (list []events.Payload) {
	if len(p.Bundle.Snapshot) > 0 {
		parts := slices.Collect(slices.Chunk(s.Trusted().Beyond(p.Bundle).Marshal(), events.MaxPartBytes))
		for i, part := range parts {
			list = append(list, &events.TrustSigned{Part: i, Parts: len(parts), Data: part})
		}
	}
	return append(list, &p.Fact)
}

// Published records a publication that nobody asked for: the state server has signed the
// timestamp anew.
func Published(at At, p *Publication) Decision { return facts(p.payloads(at.State)...) }

// Follows refuses a bundle of metadata that was begun on another one than is published.
// trusted is what have says; the zero value means that nothing was published yet.
func Follows(have tuf.Bundle, trusted tuf.Trusted, b tuf.Bundle) error {
	if len(b.Roots) < len(have.Roots) {
		return events.Refuse(codeTrustStale, "it has %d roots, %d are published: begin again from what is published", len(b.Roots), len(have.Roots))
	}
	for i := range have.Roots {
		if !bytes.Equal(b.Roots[i], have.Roots[i]) {
			return events.Refuse(codeTrustStale, "its root %d is another one than was published: begin again from what is published", i+1)
		}
	}
	if trusted.IsZero() || bytes.Equal(b.Targets, have.Targets) {
		return nil
	}
	repo, err := tuf.OpenRepository(b)
	if err != nil {
		return err
	}
	if st, err := repo.Standing(tuf.Targets); err != nil || st.Version == trusted.Versions().Targets {
		return errors.Join(err, events.Refuse(codeTrustStale, "other targets of version %d are published: begin again from those", st.Version))
	}
	return nil
}

// NotLockedOut refuses a roster without an admin, or without the state server that has the
// public key own: nobody could mend it afterwards.
func NotLockedOut(r events.Roster, own string) error {
	admin, server := false, false
	for _, o := range r.Operators {
		admin = admin || o.Somewhere(events.RoleAdmin)
	}
	for _, key := range r.StateServers {
		server = server || key == own
	}
	if !admin || !server {
		return events.Refuse(codeTrustLockout, "operators.json names no admin, or not this state server (%s): nobody could order anything afterwards", own)
	}
	return nil
}

// Lives are how long what the state server signs holds.
func Lives(s *projections.State) tuf.Lives {
	d := settings.Duration(s.Settings, "trust-expiry")
	return tuf.Lives{Timestamp: d, Snapshot: 7 * d}
}

// MustFreshen says whether the timestamp must be signed anew: half the life that the
// settings give is over, or the present one lives longer than they say.
func MustFreshen(s *projections.State, now time.Time) bool {
	life := Lives(s).Timestamp
	left := s.Trust.Fresh.Sub(now)
	return left < life/2 || left > life
}
