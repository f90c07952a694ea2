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

// Update accepts a bundle as a whole, or refuses it with an *events.Reason and returns t. There is one
// exception. A refusal with events.CodeTUFTooManyRoots comes with a Trusted that has accepted the first
// MaxRoots new roots and nothing else: the caller keeps that one and calls Update again.
//
// Everything is judged at t.Now(now), one time for the whole call. The order of the steps is that of
// TUF 1.0, section 5. Three rules are stricter:
//
//   - a gap between roots is refused, not ignored;
//   - targets never go back to an older version while the keys that signed them hold, even if the keys of
//     the snapshot were replaced;
//   - each file of the bundle must be a target and have the length and digest of that target.
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

// takeRoots accepts the roots of a chain that are newer than the accepted one, each checked against the
// one before it. more says that there are more than MaxRoots of them: only so many are accepted.
func (t Trusted) takeRoots(chain [][]byte) (next Trusted, more bool, err error) {
	taken := 0
	var before root // the last accepted root, parsed; empty until it is needed
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

// acceptFirst checks that a root is signed by enough of its own keys.
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

// acceptNext checks that a root is signed by enough keys of the root before it, and by enough of its own.
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

// root is a root as it was signed, and the same root with only those keys that can be used. go-tuf is
// asked with the second one, so that a key of another kind counts as if it were not there.
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

// take accepts the three documents and the files of a bundle, judged with the root that t has. If now is
// zero, nothing is expired.
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

// forget sets Seen to zero if the root no longer lists the keys that signed the kept timestamp. Whoever
// stole an old key may have signed a time far in the future, and by that time everything would have
// expired.
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
	_, err := inspect(Timestamp, b.Timestamp)
	if err == nil {
		_, err = inspect(Snapshot, b.Snapshot)
	}
	if err == nil {
		_, err = inspect(Targets, b.Targets)
	}
	return err
}

// read sets the shapes from the kept documents. inspect has accepted these documents before.
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

// judge lets go-tuf accept the documents of b as those that follow on the ones that t kept.
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

// judgeTimestamp shows the kept timestamp to go-tuf first, so that go-tuf refuses older ones. If the root
// no longer lists the keys that signed the kept one, go-tuf does not take it: the high version that a
// thief signed with a stolen key means nothing after the key was replaced. Source: TUF 1.0, section
// 5.3.11.
func (t Trusted) judgeTimestamp(tm *trustedmetadata.TrustedMetadata, b []byte) error {
	if len(t.kept.Timestamp) > 0 {
		_, _ = tm.UpdateTimestamp(t.kept.Timestamp) // go-tuf takes the kept one although it has expired
	}
	_, err := tm.UpdateTimestamp(b)
	if errors.Is(err, &metadata.ErrEqualVersionNumber{}) {
		return nil // it is the timestamp that go-tuf has taken above
	}
	return err
}

func (t Trusted) judgeSnapshot(tm *trustedmetadata.TrustedMetadata, b []byte) error {
	if len(t.kept.Snapshot) > 0 {
		_, _ = tm.UpdateSnapshot(t.kept.Snapshot, true) // as in judgeTimestamp
	}
	before := tm.Snapshot
	_, err := tm.UpdateSnapshot(b, false)
	switch bad := (&metadata.ErrBadVersionNumber{}); {
	case errors.As(err, &bad) && tm.Snapshot != before:
		return events.Refuse(events.CodeTUFMismatch, "the snapshot is not the one that the timestamp names: %s", bad.Msg)
	case errors.As(err, &bad):
		return events.Refuse(events.CodeTUFRollback, "the snapshot names an older version of a role: %s", bad.Msg)
	case isOnly(err):
		return events.Refuse(events.CodeTUFRollback, "%v", err)
	}
	return err
}

// isOnly says whether err is an ErrRepository and none of the errors that go-tuf derives from it. go-tuf
// returns it for a snapshot that leaves a role out. It returns it for a document of another type as well,
// which inspect has refused before.
func isOnly(err error) bool {
	_, ok := err.(*metadata.ErrRepository) //nolint:errorlint // errors.As would take the derived ones too
	return ok
}

// inTargets gives an error of go-tuf about targets its code.
func inTargets(err error) error {
	if bad := (&metadata.ErrBadVersionNumber{}); errors.As(err, &bad) {
		return events.Refuse(events.CodeTUFMismatch, "the targets are not those that the snapshot names: %s", bad.Msg)
	}
	return err
}

// checkTargetsVersion refuses targets that are older than the kept ones, as long as the root still lists
// the keys that signed those. go-tuf compares them too, by the kept snapshot, but only as long as the
// keys of the snapshot do not change.
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

// guarded calls a function that uses go-tuf. Every error that it returns is an *events.Reason. A panic
// becomes one as well.
func guarded(role string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = events.Refuse(events.CodeTUFFormat, "the %s made the verifier fail: %.200s", role, fmt.Sprint(p))
		}
	}()
	return translate(role, f())
}

// translate gives an error of go-tuf its code, by the type of the error and never by its text. An
// ErrValue is a role that has too few usable keys. Any other type is a document that go-tuf cannot
// decode.
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
