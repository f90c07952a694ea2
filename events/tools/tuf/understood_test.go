package tuf_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// changed decodes a document, lets f change what is signed, and encodes it again.
func changed(t *testing.T, b []byte, f func(signed map[string]any)) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	f(doc["signed"].(map[string]any))
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Case B09: what a person is shown before he signs is all that he signs. A document with anything
// that cannot be shown is refused, and the refusal names where it is.
func TestB09NothingIsSignedUnseen(t *testing.T) {
	in := func(signed map[string]any, names ...string) map[string]any {
		for _, n := range names {
			signed = signed[n].(map[string]any)
		}
		return signed
	}
	any1 := func(m map[string]any) map[string]any {
		for _, v := range m {
			return v.(map[string]any)
		}
		return nil
	}
	for name, c := range map[string]struct {
		root, targets func(signed map[string]any)
		operators     string
		code          string
	}{
		"more in the root":       {root: func(s map[string]any) { s["x"] = 1 }, code: events.CodeTUFUnknown},
		"another snapshot form":  {root: func(s map[string]any) { s["consistent_snapshot"] = false }, code: events.CodeTUFUnknown},
		"a fifth role":           {root: func(s map[string]any) { in(s, "roles")["mirror"] = in(s, "roles", "root") }, code: events.CodeTUFUnknown},
		"more of a role":         {root: func(s map[string]any) { in(s, "roles", "root")["x"] = "y" }, code: events.CodeTUFUnknown},
		"a key of another kind":  {root: func(s map[string]any) { any1(in(s, "keys"))["keytype"] = "rsa" }, code: events.CodeTUFUnknown},
		"more of a key":          {root: func(s map[string]any) { any1(in(s, "keys"))["x"] = "y" }, code: events.CodeTUFUnknown},
		"a key that nobody uses": {root: func(s map[string]any) { in(s, "keys")["00"] = any1(in(s, "keys")) }, code: events.CodeTUFUnknown},
		"a name in another case": {root: func(s map[string]any) { s["Version"] = s["version"]; delete(s, "version") }, code: events.CodeTUFUnknown},
		"more in the targets":    {targets: func(s map[string]any) { s["x"] = 1 }, code: events.CodeTUFUnknown},
		"who else may sign": {
			targets: func(s map[string]any) { s["delegations"] = map[string]any{"keys": map[string]any{}, "roles": []any{}} },
			code:    events.CodeTUFUnknown,
		},
		"more of an archive":       {targets: func(s map[string]any) { any1(in(s, "targets"))["x"] = 1 }, code: events.CodeTUFUnknown},
		"custom of an archive":     {targets: func(s map[string]any) { any1(in(s, "targets"))["custom"] = map[string]any{"x": 1} }, code: events.CodeTUFUnknown},
		"another digest":           {targets: func(s map[string]any) { in(any1(in(s, "targets")), "hashes")["md5"] = "00" }, code: events.CodeTUFUnknown},
		"other operators":          {operators: `{"operators":[]}`, code: events.CodeTUFMismatch},
		"as it is made":            {},
		"as it is made, and again": {root: func(map[string]any) {}, targets: func(map[string]any) {}},
	} {
		s := newSite(t, 1)
		b := copied(s.publish(start))
		if c.root != nil {
			b.Roots[0] = changed(t, b.Roots[0], c.root)
		}
		if c.targets != nil {
			b.Targets = changed(t, b.Targets, c.targets)
		}
		if c.operators != "" {
			b.Files[tuf.FileOperators] = []byte(c.operators)
		}
		repo, err := tuf.OpenRepository(b)
		s.must(err)
		if _, err := repo.Content(); events.CodeOf(err) != c.code {
			t.Errorf("%s: it says %v, want %q", name, err, c.code)
		}
	}
}

// The digest that people compare is that of what they sign: it is the same before and after.
func TestDigestOfWhatIsSigned(t *testing.T) {
	s := newSite(t, 2)
	before, err := s.repo.Content()
	s.must(err)
	unsigned := s.repo.Bundle().Targets
	s.publish(start)
	after, err := s.repo.Content()
	s.must(err)
	if bytes.Equal(unsigned, s.repo.Bundle().Targets) || before.List != after.List || before.Root != after.Root {
		t.Errorf("%v was to be signed, %v was", before.List, after.List)
	}
	s.must(s.repo.SetTools(start.Add(90*day), archive("1.26.0")))
	next, err := s.repo.Content()
	s.must(err)
	if next.List.SHA256 == after.List.SHA256 || next.Root != after.Root {
		t.Errorf("another archive is signed with the digest %s", next.List.SHA256)
	}
}
