package tuf

import (
	"crypto"
	"crypto/ed25519"
	"fmt"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/jujube-project/jujube/events"
)

// Standing says how many of the needed signatures a document has.
type Standing struct {
	Role    string
	Version int64
	Have    int // valid signatures of different keys of the role
	Need    int // the threshold
	// Of a root after the first: how many of the keys of the root before signed it, and
	// how many must.
	OldHave, OldNeed int
}

// Complete says whether no signature is missing.
func (s Standing) Complete() bool { return s.Have >= s.Need && s.OldHave >= s.OldNeed }

// Sign adds signatures to the document of a role: Root or Targets. (Freshen signs the two others.) Those
// keys sign that the newest root lists for the role; a new root is signed by keys of the root before it
// as well. A document that is complete is left as it is, since somebody may have pinned its digest.
//
// Sign returns how many keys signed, and an error if none of them may.
func (r *Repository) Sign(role string, keys ...crypto.Signer) (signed int, err error) {
	if role != Root && role != Targets {
		return 0, fmt.Errorf("sign %q: only root and targets are signed by hand", role)
	}
	if r.complete(role) {
		return 0, nil
	}
	allowed, err := r.signersOf(role)
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		public, err := publicOfSigner(key)
		if err != nil {
			return signed, fmt.Errorf("sign %s: %w", role, err)
		}
		if !contains(allowed, public) {
			continue
		}
		if err := r.signWith(role, key); err != nil {
			return signed, fmt.Errorf("sign %s: %w", role, err)
		}
		signed++
	}
	if signed == 0 {
		return 0, fmt.Errorf("sign %s: none of the %d keys at hand may; ask who holds one of %s", role, len(keys), idsOf(allowed))
	}
	return signed, nil
}

func (r *Repository) signersOf(role string) ([]ed25519.PublicKey, error) {
	doc, err := r.root()
	if err != nil {
		return nil, err
	}
	if role == Targets {
		return rolesOf(doc).Targets.Public, nil
	}
	allowed := rolesOf(doc).Root.Public
	if before, ok := r.rootBefore(); ok {
		allowed = slices.Concat(allowed, rolesOf(before).Root.Public)
	}
	return allowed, nil
}

func (r *Repository) rootBefore() (rootDoc, bool) {
	if len(r.b.Roots) < 2 {
		return nil, false
	}
	doc, err := metadata.Root().FromBytes(r.b.Roots[len(r.b.Roots)-2])
	return doc, err == nil
}

func (r *Repository) signWith(role string, key crypto.Signer) error {
	if role == Targets {
		return signInto[metadata.TargetsType](&r.b.Targets, key)
	}
	return signInto[metadata.RootType](&r.b.Roots[len(r.b.Roots)-1], key)
}

func signInto[T metadata.Roles](b *[]byte, key crypto.Signer) error {
	doc, err := new(metadata.Metadata[T]).FromBytes(*b)
	if err != nil {
		return events.Refuse(events.CodeTUFFormat, "%v", err)
	}
	if err := signDoc(doc, key); err != nil {
		return err
	}
	return store(b, doc)
}

// Standing tells how many of the needed signatures the document of a role has: Root or Targets.
func (r *Repository) Standing(role string) (Standing, error) {
	root, err := r.root()
	if err != nil {
		return Standing{}, err
	}
	s := Standing{Role: role}
	if role == Targets {
		doc, err := metadata.Targets().FromBytes(r.b.Targets)
		if err != nil {
			return s, events.Refuse(events.CodeTUFFormat, "the targets: %v", err)
		}
		s.Version = doc.Signed.Version
		s.Have, s.Need = counted(root, role, doc, doc.Signatures)
		return s, nil
	}
	s.Version = root.Signed.Version
	s.Have, s.Need = counted(root, role, root, root.Signatures)
	if before, ok := r.rootBefore(); ok {
		s.OldHave, s.OldNeed = counted(before, role, root, root.Signatures)
	}
	return s, nil
}

func (r *Repository) complete(role string) bool {
	s, err := r.Standing(role)
	return err == nil && s.Complete()
}

// counted says how many of the keys of a role have signed a document, and how many must. It asks go-tuf
// about one key at a time, because go-tuf itself only says whether the threshold is reached.
func counted(root rootDoc, role string, doc any, signatures []metadata.Signature) (have, need int) {
	asked := *root
	asked.Signed.Roles = map[string]*metadata.Role{}
	listed := root.Signed.Roles[role]
	for _, id := range listed.KeyIDs {
		by := func(s metadata.Signature) bool { return s.KeyID == id }
		if !usable(root.Signed.Keys[id]) || !slices.ContainsFunc(signatures, by) {
			continue
		}
		asked.Signed.Roles[role] = &metadata.Role{KeyIDs: []string{id}, Threshold: 1}
		if guarded(role, func() error { return asked.VerifyDelegate(role, doc) }) == nil {
			have++
		}
	}
	return have, listed.Threshold
}

func contains(list []ed25519.PublicKey, public ed25519.PublicKey) bool {
	return slices.ContainsFunc(list, func(p ed25519.PublicKey) bool { return p.Equal(public) })
}

func idsOf(list []ed25519.PublicKey) []string {
	ids := make([]string, 0, len(list))
	for _, p := range list {
		ids = append(ids, KeyID(p)[:12])
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
