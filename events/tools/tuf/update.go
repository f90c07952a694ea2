package tuf

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"

	"github.com/jujube-project/jujube/events"
)

type rootDoc = *metadata.Metadata[metadata.RootType]

// Update accepts a bundle, or refuses it whole with an *events.Reason and gives t back. There is
// one exception: events.CodeTUFTooManyRoots comes with the first MaxRoots new roots accepted and the
// rest of t as it was, so that keeping it and calling again goes on from there.
//
// It is judged at Now(now), fixed for the whole call. Source: TUF 1.0, section 5, with
// these beside it: a root's gap or an older root is refused rather than ignored; targets
// never go back while the keys that signed them hold, even after the snapshot's keys were
// changed; all files named in the bundle must be targets and fit.
func (t Trusted) Update(b Bundle, now time.Time) (Trusted, error) {
	if err := b.checkSizes(); err != nil {
		return t, err
	}
	next, more, err := t.takeRoots(b.Roots)
	if err != nil {
		return t, err
	}
	if more {
		return next, events.Refuse(events.CodeTUFTooManyRoots, "more than %d new roots: accepted up to version %d, the rest with the next cycle", MaxRoots,
			next.root.Signed.Version)
	}
	next = next.forget()
	next, err = next.take(b, next.Now(now))
	if err != nil {
		return t, err
	}
	return next, nil
}

// takeRoots walks the chain of roots as far as one cycle may. Roots that are no newer than
// the accepted one are passed over.
func (t Trusted) takeRoots(chain [][]byte) (next Trusted, more bool, err error) {
	taken := 0
	var before root // that of t, once it was needed
	for _, b := range chain {
		s, err := inspect(Root, b)
		if err != nil {
			return t, false, err
		}
		have := t.root.Signed.Version
		switch {
		case s.Signed.Version <= have:
			continue
		case taken == MaxRoots:
			return t, true, nil
		case s.Signed.Version != have+1:
			return t, false, events.Refuse(events.CodeTUFRollback, "root version %d was offered where %d comes next", s.Signed.Version, have+1)
		}
		err = guarded(Root, func() (err error) {
			before, err = t.acceptNext(before, b)
			return err
		})
		if err != nil {
			return t, false, err
		}
		t.kept.Root, t.root = b, s
		taken++
	}
	return t, false, nil
}

// acceptFirst checks a root against itself only.
func acceptFirst(b []byte) (shape, error) {
	s, err := inspect(Root, b)
	if err != nil {
		return s, err
	}
	return s, guarded(Root, func() error {
		root, err := readRoot(b)
		if err != nil {
			return err
		}
		return root.only.VerifyDelegate(Root, root.doc)
	})
}

// acceptNext checks a root against the one before and against itself.
func (t Trusted) acceptNext(before root, b []byte) (next root, err error) {
	if before.doc == nil {
		if before, err = readRoot(t.kept.Root); err != nil {
			return root{}, err
		}
	}
	if next, err = readRoot(b); err != nil {
		return root{}, err
	}
	if err := before.only.VerifyDelegate(Root, next.doc); err != nil {
		return root{}, err
	}
	return next, next.only.VerifyDelegate(Root, next.doc)
}

// A root as it was signed, and the same with only those keys that can be used.
type root struct{ doc, only rootDoc }

func readRoot(b []byte) (root, error) {
	doc, err := metadata.Root().FromBytes(b)
	if err != nil {
		return root{}, err
	}
	only := *doc
	only.Signed.Roles = map[string]*metadata.Role{}
	for name, r := range doc.Signed.Roles {
		struck := func(id string) bool { return !usable(doc.Signed.Keys[id]) }
		only.Signed.Roles[name] = &metadata.Role{KeyIDs: slices.DeleteFunc(slices.Clone(r.KeyIDs), struck), Threshold: r.Threshold}
	}
	return root{doc, &only}, nil
}

func usable(k *metadata.Key) bool {
	_, err := publicOf(k)
	return err == nil
}

// take accepts the three documents and the files on top of the root that t has. A zero now
// means that nothing expires.
func (t Trusted) take(b Bundle, now time.Time) (Trusted, error) {
	if err := t.inspectAll(b); err != nil {
		return t, err
	}
	if !now.IsZero() && !now.Before(t.root.Signed.Expires) {
		return t, events.Refuse(events.CodeTUFExpired, "the root expired at %s", t.root.Signed.Expires.UTC().Format(time.RFC3339))
	}
	next := t
	next.kept.Timestamp, next.kept.Snapshot, next.kept.Targets = b.Timestamp, b.Snapshot, b.Targets
	if err := t.judge(b, now); err != nil {
		return t, err
	}
	if err := next.read(); err != nil {
		return t, err
	}
	if err := t.checkTargetsVersion(next); err != nil {
		return t, err
	}
	if err := next.takeFiles(b.Files); err != nil {
		return t, err
	}
	return next.Witness(next.stamp.Signed.Made), nil
}

// forget drops the time floor when the root's keys no longer cover the timestamp that raised
// it: whoever stole the old key may have signed a time that never comes.
func (t Trusted) forget() Trusted {
	if len(t.kept.Timestamp) == 0 {
		return t
	}
	doc, err := metadata.Timestamp().FromBytes(t.kept.Timestamp)
	if err == nil && covers(t.kept.Root, Timestamp, doc) {
		return t
	}
	t.kept.Seen = time.Time{}
	return t
}

// covers says whether enough keys of the root signed a document of a role.
func covers(root []byte, role string, doc any) bool {
	return guarded(role, func() error {
		r, err := readRoot(root)
		if err != nil {
			return err
		}
		return r.only.VerifyDelegate(role, doc)
	}) == nil
}

func (t Trusted) inspectAll(b Bundle) error {
	for role, doc := range map[string][]byte{Timestamp: b.Timestamp, Snapshot: b.Snapshot, Targets: b.Targets} {
		if _, err := inspect(role, doc); err != nil {
			return err
		}
	}
	return nil
}

// read gives the shapes of the kept documents, which inspect took before.
func (t *Trusted) read() (err error) {
	if t.stamp, err = inspect(Timestamp, t.kept.Timestamp); err != nil {
		return err
	}
	if t.snap, err = inspect(Snapshot, t.kept.Snapshot); err != nil {
		return err
	}
	t.target, err = inspect(Targets, t.kept.Targets)
	return err
}

// judge has go-tuf accept the documents of b after those that t kept.
func (t Trusted) judge(b Bundle, now time.Time) error {
	var tm *trustedmetadata.TrustedMetadata
	if err := guarded(Root, func() error {
		root, err := readRoot(t.kept.Root)
		if err != nil {
			return err
		}
		tm = &trustedmetadata.TrustedMetadata{Root: root.only, Targets: map[string]*metadata.Metadata[metadata.TargetsType]{}, RefTime: now}
		return nil
	}); err != nil {
		return err
	}
	if err := guarded(Timestamp, func() error { return t.judgeTimestamp(tm, b.Timestamp) }); err != nil {
		return err
	}
	if err := guarded(Snapshot, func() error { return t.judgeSnapshot(tm, b.Snapshot) }); err != nil {
		return err
	}
	return guarded(Targets, func() error {
		_, err := tm.UpdateTargets(b.Targets)
		return inTargets(err)
	})
}

// judgeTimestamp shows go-tuf the kept timestamp first: what the root's keys no longer
// cover drops out, so that a stolen key's last version means nothing after a rotation
// (TUF 1.0, section 5.3.11).
func (t Trusted) judgeTimestamp(tm *trustedmetadata.TrustedMetadata, b []byte) error {
	if len(t.kept.Timestamp) > 0 {
		_, _ = tm.UpdateTimestamp(t.kept.Timestamp) // an expired one still counts; one of other keys does not
	}
	_, err := tm.UpdateTimestamp(b)
	if errors.Is(err, &metadata.ErrEqualVersionNumber{}) {
		return nil // the same one: the kept one goes on to be used
	}
	return err
}

func (t Trusted) judgeSnapshot(tm *trustedmetadata.TrustedMetadata, b []byte) error {
	if len(t.kept.Snapshot) > 0 {
		_, _ = tm.UpdateSnapshot(t.kept.Snapshot, true) // likewise
	}
	before := tm.Snapshot
	_, err := tm.UpdateSnapshot(b, false)
	switch bad := (&metadata.ErrBadVersionNumber{}); {
	case errors.As(err, &bad) && tm.Snapshot != before:
		return events.Refuse(events.CodeTUFMismatch, "the snapshot is not the one that the timestamp names: %s", bad.Msg)
	case errors.As(err, &bad):
		return events.Refuse(events.CodeTUFRollback, "the snapshot would take a role back: %s", bad.Msg)
	case isOnly(err):
		return events.Refuse(events.CodeTUFRollback, "%v", err)
	}
	return err
}

// isOnly says that err is the plain ErrRepository, which go-tuf's snapshot returns for a
// role that is left out. (Another type was ruled out by inspect.)
func isOnly(err error) bool {
	_, ok := err.(*metadata.ErrRepository) //nolint:errorlint // its kin are the same to errors.As
	return ok
}

func inTargets(err error) error {
	if bad := (&metadata.ErrBadVersionNumber{}); errors.As(err, &bad) {
		return events.Refuse(events.CodeTUFMismatch, "the targets are not those that the snapshot names: %s", bad.Msg)
	}
	return err
}

// checkTargetsVersion holds targets to their version while the root still covers the kept
// ones. The snapshot holds them to it as long as its own keys do not change.
func (t Trusted) checkTargetsVersion(next Trusted) error {
	if next.target.Signed.Version >= t.target.Signed.Version {
		return nil
	}
	doc, err := metadata.Targets().FromBytes(t.kept.Targets)
	if err == nil && covers(t.kept.Root, Targets, doc) {
		return events.Refuse(events.CodeTUFRollback, "targets version %d after %d", next.target.Signed.Version, t.target.Signed.Version)
	}
	return nil
}

// guarded calls into go-tuf. Whatever comes out is an *events.Reason; a panic is one too.
func guarded(role string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = events.Refuse(events.CodeTUFFormat, "the %s made the verifier fail: %.200s", role, fmt.Sprint(p))
		}
	}()
	return translate(role, f())
}

// translate names a refusal of go-tuf by its type. What is left when inspect has passed is
// a role that nobody can sign any more (ErrValue), or a document that will not decode.
func translate(role string, err error) error {
	var refusal *events.Reason
	var value *metadata.ErrValue
	var bad *metadata.ErrBadVersionNumber
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		return err
	case errors.Is(err, &metadata.ErrUnsignedMetadata{}), errors.As(err, &value):
		return events.Refuse(events.CodeTUFThreshold, "the %s: %v", role, err)
	case errors.Is(err, &metadata.ErrExpiredMetadata{}):
		return events.Refuse(events.CodeTUFExpired, "%v", err)
	case errors.Is(err, &metadata.ErrLengthOrHashMismatch{}):
		return events.Refuse(events.CodeTUFMismatch, "the %s is not the one that was named: %v", role, err)
	case errors.As(err, &bad):
		return events.Refuse(events.CodeTUFRollback, "the %s: %s", role, bad.Msg)
	}
	return events.Refuse(events.CodeTUFFormat, "the %s: %v", role, err)
}
