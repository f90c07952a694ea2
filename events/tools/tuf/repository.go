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

// Repository is a publication in the making. A change makes the next version of a document,
// without signatures; Sign adds those of the keys that are at hand, so that several people
// can sign in turn: the half-signed publication is a Bundle as well, which readers refuse.
//
// A Repository does not verify what it is opened with: whoever publishes has Trusted.Update
// take the result first.
type Repository struct {
	b    Bundle
	from int64 // the least version of new targets, snapshots and timestamps
}

// NewRepository makes root version 1 and targets version 1, unsigned, without targets.
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

// OpenRepository goes on with a bundle, signed or half signed. It returns an *events.Reason with
// events.CodeTUFFormat when its root or targets are no documents.
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

// CountFrom gives new targets, snapshots and timestamps at least that version: publications
// that are begun anew in several places then still grow.
func (r *Repository) CountFrom(version int64) { r.from = version }

// Bundle is the publication as it stands.
func (r *Repository) Bundle() Bundle {
	b := r.b
	b.Roots, b.Files = slices.Clone(b.Roots), maps.Clone(b.Files)
	return b
}

// Anchor pins the first root. It holds once that root is signed.
func (r *Repository) Anchor() Anchor { return AnchorOf(r.b.Roots[0]) }

// Roles are those of the newest root, signed or not.
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

// SetRoles makes the next root, unsigned: it needs the threshold of the root before and its
// own. A root that is not fully signed yet is replaced.
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

// SetTools makes an archive a target under its own name.
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

// SetTargets adds or replaces targets. The targets expire then.
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

// RemoveTargets takes targets, and files that came along, away. The rest expires then.
func (r *Repository) RemoveTargets(expires time.Time, names ...string) error {
	return r.change(expires, func(targets map[string]*metadata.TargetFiles) error {
		for _, name := range names {
			delete(targets, name)
			delete(r.b.Files, name)
		}
		return nil
	})
}

// SetFile adds or replaces a target whose content travels in the bundle.
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

// SetJSON is SetFile with a value as JSON.
func (r *Repository) SetJSON(expires time.Time, name string, value any) error {
	b, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return r.SetFile(expires, name, append(b, '\n'))
}

// change makes the next version of the targets, or changes the one that is not fully
// signed yet; either way it is without signatures afterwards.
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
