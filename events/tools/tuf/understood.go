package tuf

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/jujube-project/jujube/events"
)

// Content is everything that a root and targets say, in values that can be shown to a person. Whoever
// signs a document that Content has read signs nothing else.
type Content struct {
	Roles   Roles
	Targets map[string]Target // by name
	Said    Said              // by the files among them

	Root, List Document
}

// Document is one of the two documents that people sign: the root, or the list of targets.
type Document struct {
	Version int64
	Expires time.Time
	SHA256  string // of what is signed; signatures do not change it
}

// Content reads the newest root and the targets. It believes no signature. It returns an
// *events.Reason with events.CodeTUFUnknown if a document holds anything that Content cannot express,
// and with another code if a document or a file cannot be read.
func (r *Repository) Content() (Content, error) {
	root, err := r.root()
	if err != nil {
		return Content{}, err
	}
	targets, err := metadata.Targets().FromBytes(r.b.Targets)
	if err != nil {
		return Content{}, events.Refuse(events.CodeTUFFormat, "the targets: %v", err)
	}
	c := Content{Roles: r.Roles(), Targets: r.Targets()}
	c.Root = Document{Version: root.Signed.Version, Expires: root.Signed.Expires}
	if c.Root.SHA256, err = understood(Root, r.b.Roots[len(r.b.Roots)-1], rootOf(root, c.Roles).Signed); err != nil {
		return c, err
	}
	c.List = Document{Version: targets.Signed.Version, Expires: targets.Signed.Expires}
	if c.List.SHA256, err = understood(Targets, r.b.Targets, targetsOf(targets, c.Targets).Signed); err != nil {
		return c, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Targets)) {
		if c.Targets[name].Custom != nil {
			return c, events.Refuse(events.CodeTUFUnknown, "the targets say more of %.80q than its length and digest", name)
		}
	}
	list, err := inspect(Targets, r.b.Targets)
	if err != nil {
		return c, err
	}
	c.Said, err = readFiles(list, r.b.Files)
	return c, err
}

// rootOf writes a root anew from what was understood of it.
func rootOf(read rootDoc, roles Roles) rootDoc {
	doc := metadata.Root(read.Signed.Expires)
	doc.Signed.Version, doc.Signed.SpecVersion = read.Signed.Version, read.Signed.SpecVersion
	roles.write(doc)
	return doc
}

// targetsOf writes targets anew from what was understood of them.
func targetsOf(read *metadata.Metadata[metadata.TargetsType], list map[string]Target) *metadata.Metadata[metadata.TargetsType] {
	doc := metadata.Targets(read.Signed.Expires)
	doc.Signed.Version, doc.Signed.SpecVersion = read.Signed.Version, read.Signed.SpecVersion
	for name, t := range list {
		sum, _ := hex.DecodeString(t.SHA256) // it cannot fail: it was encoded when it was read
		doc.Signed.Targets[name] = &metadata.TargetFiles{Length: t.Length, Hashes: metadata.Hashes{"sha256": sum}}
		if t.Custom != nil {
			doc.Signed.Targets[name].Custom = &t.Custom
		}
	}
	return doc
}

// understood compares a document with the one that was written anew from what was understood of it.
// What only the first one has was not understood. It gives the digest of what is signed.
func understood(role string, b []byte, anew any) (sha256 string, err error) {
	signed, err := cjson.EncodeCanonical(anew)
	if err != nil {
		return "", fmt.Errorf("write the %s anew: %w", role, err)
	}
	var read, again struct {
		Signed any `json:"signed"`
	}
	if err := decode(b, &read); err != nil {
		return "", events.Refuse(events.CodeTUFFormat, "the %s: %v", role, err)
	}
	if err := decode(signed, &again.Signed); err != nil {
		return "", fmt.Errorf("write the %s anew: %w", role, err)
	}
	if where, ok := firstDifference("", read.Signed, again.Signed); !ok {
		return "", events.Refuse(events.CodeTUFUnknown, "the %s says something at %.200q that this client does not know", role, where)
	}
	return digest(signed), nil
}

// decode keeps numbers as they are written.
func decode(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(into)
}

// firstDifference says where two values of JSON differ. The order in which a list of keys stands counts,
// too; ok says that they do not differ.
func firstDifference(at string, a, b any) (where string, ok bool) {
	am, isMap := a.(map[string]any)
	bm, alike := b.(map[string]any)
	if !isMap || !alike {
		return at, reflect.DeepEqual(a, b)
	}
	names := maps.Clone(am)
	maps.Copy(names, bm)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		va, inA := am[name]
		vb, inB := bm[name]
		if !inA || !inB {
			return at + "/" + name, false
		}
		if where, ok := firstDifference(at+"/"+name, va, vb); !ok {
			return where, false
		}
	}
	return "", true
}
