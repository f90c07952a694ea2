package tuf

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Target is what the targets say of one file.
type Target struct {
	Length int64           // bytes
	SHA256 string          // 64 lower-case hex digits
	Custom json.RawMessage // for a person; no reader here decides by it
}

// Repository is a publication in preparation. A change makes the next version of a document, without
// signatures. Sign adds the signatures of the keys at hand. Several people can sign in turn: a
// publication that lacks signatures is a Bundle too, which they send each other and which readers
// refuse.
//
// A Repository verifies nothing of the bundle that it is opened with. Before anybody publishes the
// result, Trusted.Update must accept it.
type Repository struct {
	b    Bundle
	from int64 // the least version of new targets, snapshots and timestamps
}

// NewRepository makes a root of version 1 and targets of version 1. Neither is signed, and the targets
// list nothing.
func NewRepository(r Roles, rootExpires, targetsExpires time.Time) (*Repository, error) {
	if err := r.validate(); err != nil {
		return nil, fmt.Errorf("make the root: %w", err)
	}
	root := metadata.Root(second(rootExpires))
	r.write(root)
	repo := &Repository{b: Bundle{Roots: [][]byte{nil}, Files: map[string][]byte{}}}
	if err := store(&repo.b.Roots[0], root); err != nil {
		return nil, err
	}
	return repo, store(&repo.b.Targets, metadata.Targets(second(targetsExpires)))
}

// OpenRepository continues with a bundle, whether it is fully signed or not. It returns an *events.Reason
// with events.CodeTUFFormat if a root or the targets are no documents of that role.
func OpenRepository(b Bundle) (*Repository, error) {
	if len(b.Roots) == 0 {
		return nil, events.Refuse(events.CodeTUFFormat, "the bundle has no root")
	}
	if err := b.checkSizes(); err != nil {
		return nil, err
	}
	for _, r := range b.Roots {
		if _, err := inspect(Root, r); err != nil {
			return nil, err
		}
	}
	if _, err := inspect(Targets, b.Targets); err != nil {
		return nil, err
	}
	b.Roots, b.Files = slices.Clone(b.Roots), maps.Clone(b.Files)
	if b.Files == nil {
		b.Files = map[string][]byte{}
	}
	return &Repository{b: b}, nil
}

// CountFrom sets the lowest version of new targets, snapshots and timestamps. With a number that grows,
// such as the time, versions still grow when publications are begun anew in several places.
func (r *Repository) CountFrom(version int64) { r.from = version }

// Bundle is the publication as it is now.
func (r *Repository) Bundle() Bundle {
	b := r.b
	b.Roots, b.Files = slices.Clone(b.Roots), maps.Clone(b.Files)
	return b
}

// Anchor pins the first root. Signing changes the root's bytes: ask for the anchor when the root has all
// its signatures.
func (r *Repository) Anchor() Anchor { return AnchorOf(r.b.Roots[0]) }

// Roles are the roles of the newest root, whether it is signed or not.
func (r *Repository) Roles() Roles {
	doc, err := r.root()
	if err != nil {
		return Roles{}
	}
	return rolesOf(doc)
}

// Targets lists the targets by name.
func (r *Repository) Targets() map[string]Target {
	list := map[string]Target{}
	doc, err := metadata.Targets().FromBytes(r.b.Targets)
	if err != nil {
		return list
	}
	for name, t := range doc.Signed.Targets {
		target := Target{Length: t.Length, SHA256: hex.EncodeToString(t.Hashes["sha256"])}
		if t.Custom != nil {
			target.Custom = *t.Custom
		}
		list[name] = target
	}
	return list
}

// SetRoles makes the next root, without signatures. It must then be signed by enough keys of the root
// before it, and by enough of its own. If the newest root lacks signatures, it is replaced.
func (r *Repository) SetRoles(roles Roles, expires time.Time) error {
	if err := roles.validate(); err != nil {
		return fmt.Errorf("make the next root: %w; nothing was changed", err)
	}
	doc, err := r.root()
	if err != nil {
		return err
	}
	roles.write(doc)
	doc.Signed.Expires = second(expires)
	return r.storeRoot(doc)
}

func (r *Repository) storeRoot(doc rootDoc) error {
	last := len(r.b.Roots) - 1
	doc.ClearSignatures()
	if !r.complete(Root) {
		return store(&r.b.Roots[last], doc)
	}
	doc.Signed.Version++
	var b []byte
	if err := store(&b, doc); err != nil {
		return err
	}
	r.b.Roots = append(r.b.Roots, b)
	return nil
}

// SetTools makes archives targets, each under its file name.
func (r *Repository) SetTools(expires time.Time, list ...tools.Tools) error {
	targets := map[string]Target{}
	for _, t := range list {
		if err := t.Validate(); err != nil {
			return err
		}
		targets[t.FileName()] = Target{Length: t.Size, SHA256: t.SHA256}
	}
	return r.SetTargets(expires, targets)
}

// SetTargets adds or replaces targets, and sets when all targets expire.
func (r *Repository) SetTargets(expires time.Time, list map[string]Target) error {
	return r.change(expires, func(targets map[string]*metadata.TargetFiles) error {
		for name, t := range list {
			sum, err := hex.DecodeString(t.SHA256)
			if err != nil || len(sum) != 32 || !isName(name) || t.Length < 0 {
				return fmt.Errorf("target %.80q with length %d and digest %.70q: nothing was changed", name, t.Length, t.SHA256)
			}
			file := &metadata.TargetFiles{Length: t.Length, Hashes: metadata.Hashes{"sha256": sum}}
			if len(t.Custom) > 0 {
				file.Custom = &t.Custom
			}
			targets[name] = file
		}
		return nil
	})
}

// RemoveTargets removes targets with their files, and sets when the other targets expire.
func (r *Repository) RemoveTargets(expires time.Time, names ...string) error {
	return r.change(expires, func(targets map[string]*metadata.TargetFiles) error {
		for _, name := range names {
			delete(targets, name)
			delete(r.b.Files, name)
		}
		return nil
	})
}

// SetFile adds or replaces a target whose content is part of the bundle.
func (r *Repository) SetFile(expires time.Time, name string, content []byte) error {
	if len(content) > MaxFile {
		return fmt.Errorf("file %.80q has %d bytes, limit %d: nothing was changed", name, len(content), MaxFile)
	}
	t := Target{Length: int64(len(content)), SHA256: digest(content)}
	if err := r.SetTargets(expires, map[string]Target{name: t}); err != nil {
		return err
	}
	r.b.Files[name] = slices.Clone(content)
	return nil
}

// SetJSON is SetFile with the JSON of a value.
func (r *Repository) SetJSON(expires time.Time, name string, value any) error {
	b, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return r.SetFile(expires, name, append(b, '\n'))
}

// change makes the next version of the targets or, if the newest version lacks signatures, changes that
// one. Afterwards it has no signatures in both cases.
func (r *Repository) change(expires time.Time, f func(map[string]*metadata.TargetFiles) error) error {
	doc, err := metadata.Targets().FromBytes(r.b.Targets)
	if err != nil {
		return events.Refuse(events.CodeTUFFormat, "the targets: %v", err)
	}
	if doc.Signed.Targets == nil {
		doc.Signed.Targets = map[string]*metadata.TargetFiles{}
	}
	if err := f(doc.Signed.Targets); err != nil {
		return err
	}
	if r.complete(Targets) {
		doc.Signed.Version++
	}
	doc.Signed.Version = max(doc.Signed.Version, r.from)
	doc.Signed.Expires = second(expires)
	doc.ClearSignatures()
	return store(&r.b.Targets, doc)
}

func (r *Repository) root() (rootDoc, error) {
	doc, err := metadata.Root().FromBytes(r.b.Roots[len(r.b.Roots)-1])
	if err != nil {
		return nil, events.Refuse(events.CodeTUFFormat, "the root: %v", err)
	}
	return doc, nil
}

func store[T metadata.Roles](into *[]byte, doc *metadata.Metadata[T]) error {
	b, err := doc.ToBytes(false)
	if err != nil {
		return errors.Join(errors.New("write a document: nothing was changed"), err)
	}
	*into = b
	return nil
}

// second is a time as TUF writes it. Source: TUF 1.0, section 4.2.1.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
