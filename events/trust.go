package events

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// TrustSigned holds a part of signed metadata, as it was signed: of what a publication has that the one
// before did not have. The parts come in order, right before the TrustPublished that they prove.
type TrustSigned struct {
	Part  int    `json:"part"`  // from 0
	Parts int    `json:"parts"` // of this publication
	Data  []byte `json:"data"`  // together they are a bundle, in which what did not change is left out
}

func (*TrustSigned) Kind() string   { return "trust.signed/1" }
func (*TrustSigned) Entity() string { return entityTrustSigned }

// Validate checks sizes.
func (e *TrustSigned) Validate() error {
	if e.Part < 0 || e.Part >= e.Parts || e.Parts > MaxBundleBytes/MaxPartBytes+1 || len(e.Data) == 0 || len(e.Data) > MaxPartBytes {
		return fmt.Errorf("part %d of %d of signed metadata, with %d bytes, limit %d", e.Part, e.Parts, len(e.Data), MaxPartBytes)
	}
	return nil
}

// TrustPublished says which bundle of signed metadata the environment has from this record on, and
// what the bundle says. Machines fetch and verify the bundle, and believe nothing in this record.
// Folds believe it if the documents in the records before it prove it.
type TrustPublished struct {
	Bundle  Object        `json:"bundle"`
	Version TrustVersions `json:"version"`
	Fresh   time.Time     `json:"fresh"`   // when the timestamp expires: until then machines need nothing newer
	Expires time.Time     `json:"expires"` // when the root or the targets expire, which people sign

	Timestamp []byte `json:"timestamp"` // the document of that role, for a machine that has the other documents already

	Roster     Roster          `json:"roster"`
	Floor      *version.Number `json:"floor,omitempty"` // no older version may be installed
	Revoked    *Revoked        `json:"revoked,omitempty"`
	Publishers *Publishers     `json:"publishers,omitempty"` // none: environments of before had settings instead
}

// Object names bytes in the object store.
type Object struct {
	SHA256 string `json:"sha256"` // 64 hex digits; the name of the object
	Size   int64  `json:"size_bytes"`
}

// TrustVersions are the versions of the documents of the four roles. Source: TUF 1.0, section 3.
type TrustVersions struct {
	Root      int64 `json:"root"`
	Targets   int64 `json:"targets"`
	Snapshot  int64 `json:"snapshot"`
	Timestamp int64 `json:"timestamp"`
}

// Revoked lists what nobody may rely on any more. It is the signed target revoked.json.
type Revoked struct {
	Keys      []string `json:"keys,omitempty"`      // public nkeys
	Artefacts []string `json:"artefacts,omitempty"` // sha256 of archives
	Requests  []string `json:"requests,omitempty"`  // ids
}

// Publishers says whose trees of tools an environment takes in, and where they lie. It is the signed
// target publishers.json. Machines do not read it: they run what the release managers have signed.
type Publishers struct {
	Signers  []string `json:"signers,omitempty"`  // publishers who are believed, by the sha256 of their first root
	Sources  []string `json:"sources,omitempty"`  // directories and URLs that are searched, in this order; none: those that are typed
	Unsigned []string `json:"unsigned,omitempty"` // sources, as they are named elsewhere, that may be unsigned
	Stream   string   `json:"stream,omitempty"`   // the stream that is read; empty: released
}

// Limits of trusted metadata.
const (
	MaxBundleBytes    = 16 << 20 // a bundle in the object store
	MaxPartBytes      = limits.PartBytes
	MaxTimestampBytes = 16 << 10
	MaxRevoked        = 1000 // entries of each of the three lists
	MaxPublishers     = 64   // entries of each list of publishers and sources
	MaxSourceName     = 1024 // bytes
)

func (*TrustPublished) Kind() string   { return "trust.published/1" }
func (*TrustPublished) Entity() string { return entityTrust }

// Validate checks sizes, and that every role has a version and an end.
func (e *TrustPublished) Validate() error {
	v := e.Version
	switch {
	case v.Root < 1 || v.Targets < 1 || v.Snapshot < 1 || v.Timestamp < 1:
		return fmt.Errorf("versions of roles %+v: each must be at least 1", v)
	case e.Fresh.IsZero() || e.Expires.IsZero():
		return errors.New("the time when the timestamp, the root or the targets expire is missing")
	case len(e.Timestamp) == 0 || len(e.Timestamp) > MaxTimestampBytes:
		return fmt.Errorf("timestamp of %d bytes, must be 1 to %d", len(e.Timestamp), MaxTimestampBytes)
	case e.Revoked != nil && e.Revoked.Validate() != nil:
		return e.Revoked.Validate()
	case e.Publishers != nil && e.Publishers.Validate() != nil:
		return e.Publishers.Validate()
	}
	return errors.Join(e.Bundle.Validate(), e.Roster.Validate())
}

// Validate checks that the object can be a bundle of metadata.
func (o Object) Validate() error {
	switch {
	case !tools.IsDigest(o.SHA256):
		return fmt.Errorf("sha256 %q is not 64 lower-case hex digits", o.SHA256)
	case o.Size <= 0 || o.Size > MaxBundleBytes:
		return fmt.Errorf("bundle of %d bytes, must be 1 to %d", o.Size, MaxBundleBytes)
	}
	return nil
}

// Validate checks sizes and forms.
func (r Revoked) Validate() error {
	if n := max(len(r.Keys), len(r.Artefacts), len(r.Requests)); n > MaxRevoked {
		return fmt.Errorf("%d revocations of one sort; at most %d", n, MaxRevoked)
	}
	for _, d := range r.Artefacts {
		if !tools.IsDigest(d) {
			return fmt.Errorf("revoked archive %q is not 64 lower-case hex digits", d)
		}
	}
	for _, id := range slices.Concat(r.Keys, r.Requests) {
		if !IsID(id) {
			return fmt.Errorf("%q is neither a key nor a request", id)
		}
	}
	return nil
}

// Validate checks sizes and forms.
func (p Publishers) Validate() error {
	if n := max(len(p.Signers), len(p.Sources), len(p.Unsigned)); n > MaxPublishers {
		return fmt.Errorf("%d publishers or sources of one sort; at most %d", n, MaxPublishers)
	}
	for _, d := range p.Signers {
		if !tools.IsDigest(d) {
			return fmt.Errorf("publisher %q is not the sha256 of a root", d)
		}
	}
	for _, s := range slices.Concat(p.Sources, p.Unsigned) {
		if s == "" || len(s) > MaxSourceName {
			return fmt.Errorf("source of tools with a name of %d bytes, must be 1 to %d", len(s), MaxSourceName)
		}
	}
	return needText("stream", p.Stream, MaxSourceName)
}

// TrustRefused is a report: a machine did not accept a bundle that was published. It keeps the
// metadata that it had before.
type TrustRefused struct {
	ReportHead
	Bundle string `json:"bundle"` // sha256 of the bundle
	Code   string `json:"code"`   // stable word, such as "tuf-rollback"
	Text   string `json:"text"`
}

func (*TrustRefused) Kind() string { return "trust.refused/1" }

func (e *TrustRefused) Entity() string { return entityMachine(e.Machine) }

// Validate asks for all fields.
func (e *TrustRefused) Validate() error {
	if !tools.IsDigest(e.Bundle) || e.Code == "" || e.Text == "" {
		return errors.New("a refusal of a bundle without its digest, a code or a text")
	}
	return errors.Join(needText("code", e.Code, 64), needText("text", e.Text, 4096), e.ReportHead.validate())
}

// TrustStale is a report: four fifths of the life of a machine's timestamp are over, and the machine
// got no newer one. After its end the machine installs no new version any more.
type TrustStale struct {
	ReportHead
	Timestamp int64     `json:"timestamp"` // version of that document
	Ends      time.Time `json:"ends"`
}

func (*TrustStale) Kind() string { return "trust.stale/1" }

func (e *TrustStale) Entity() string { return entityMachine(e.Machine) }

// Validate asks for both fields.
func (e *TrustStale) Validate() error {
	if e.Timestamp < 1 || e.Ends.IsZero() {
		return errors.New("the version of the timestamp, or the time when it expires, is missing")
	}
	return e.ReportHead.validate()
}
