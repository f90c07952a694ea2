package streams_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/streams"
)

const (
	life     = 90 * 24 * time.Hour
	index    = "tools/streams/v1/index2.json"
	trusted  = "tools/streams/v1/trust.json"
	products = "tools/streams/v1/com.ubuntu.juju-released-tools.json"
)

// signerOf makes a publisher of a fixed seed.
func signerOf(seed byte) func(t *testing.T) streams.Signer {
	return func(t *testing.T) streams.Signer {
		t.Helper()
		key := func(role byte) ed25519.PrivateKey {
			return ed25519.NewKeyFromSeed(append(bytes.Repeat([]byte{role}, 31), seed))
		}
		s, err := streams.NewSigner(key(1), key(2), key(3), key(4), now.Add(-365*24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// publisher signs every tree; stranger is somebody else.
var publisher, stranger = signerOf(1), signerOf(2)

func plan(t *testing.T, stream string, clean bool, at time.Time) streams.Plan {
	t.Helper()
	return streams.Plan{Stream: stream, Clean: clean, Signer: publisher(t), Life: life, Now: at}
}

func trust(t *testing.T) streams.Trust {
	t.Helper()
	return streams.Trust{Anchors: []string{publisher(t).Anchor()}, Now: func() time.Time { return now }}
}

// Each case breaks exactly one thing of a good tree.
func TestBadSignaturesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  error
	}{
		"nobody signed":            {remove(trusted), tools.ErrUnsigned},
		"a byte more in the index": {edit(index, "\n", "\n "), tools.ErrSignature},
		"another size in products": {edit(products, `"size": 9`, `"size": 8`), tools.ErrSignature},
		"signature is no JSON":     {func(t *testing.T, dir string) { write(t, filepath.Join(dir, trusted), []byte("junk")) }, tools.ErrSignature},
		"signature is huge": {func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, trusted), bytes.Repeat([]byte(" "), 25<<20))
		}, tools.ErrSignature},
		"signed by a stranger": {func(t *testing.T, dir string) {
			p := plan(t, "released", false, now)
			p.Signer = stranger(t)
			regenerate(t, dir, p)
		}, tools.ErrSigner},
		"expired": {func(t *testing.T, dir string) {
			put(t, dir, "", "1.25.2-trusty-amd64", "fourth")
			regenerate(t, dir, plan(t, "released", false, now.Add(-life-time.Second)))
		}, tools.ErrExpired},
		"products of an older signing": {func(t *testing.T, dir string) {
			old := read(t, dir, products)
			put(t, dir, "", "1.25.2-trusty-amd64", "fourth")
			regenerate(t, dir, plan(t, "released", false, now.Add(time.Minute)))
			write(t, filepath.Join(dir, products), old)
		}, tools.ErrSignature},
		"BI-91 an archive was renamed": {edit(products, "juju-1.25.1-", "juju-1.25.9-"), tools.ErrSignature},
		"BI-91 a file more in the metadata": {func(t *testing.T, dir string) {
			b := bundle(t, dir)
			b.Files = map[string][]byte{"extra": []byte("x")}
			write(t, filepath.Join(dir, trusted), b.Marshal())
		}, tools.ErrSignature},
		"BI-91 the targets are missing": {func(t *testing.T, dir string) {
			b := bundle(t, dir)
			b.Targets = []byte{}
			write(t, filepath.Join(dir, trusted), b.Marshal())
		}, tools.ErrSignature},
		"BI-30 targets of an older signing": {func(t *testing.T, dir string) {
			old := bundle(t, dir).Targets
			put(t, dir, "", "1.25.2-trusty-amd64", "fourth")
			regenerate(t, dir, plan(t, "released", false, now.Add(time.Minute)))
			b := bundle(t, dir)
			b.Targets = old
			write(t, filepath.Join(dir, trusted), b.Marshal())
		}, tools.ErrSignature},
		"products of another stream": {func(t *testing.T, dir string) {
			put(t, dir, "tools/devel", "1.26-beta1-trusty-amd64", "beta")
			regenerate(t, dir, plan(t, "devel", false, now))
			devel := strings.Replace(products, "released", "devel", 1)
			write(t, filepath.Join(dir, products), read(t, dir, devel))
		}, tools.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t)
			c.spoil(t, dir)
			for _, base := range []string{dir, serve(t, http.FileServer(http.Dir(dir)))} {
				src, err := streams.Open(base, trust(t))
				if err != nil {
					t.Fatal(err)
				}
				if l, err := src.List(t.Context(), "released"); !errors.Is(err, c.want) || !errors.Is(err, streams.ErrSource) || l.Found != nil {
					t.Errorf("listed %v with %v, want %v", l, err, c.want)
				}
			}
			if faults := errors.Join(streams.Validate(dir, "released", trust(t))...); !errors.Is(faults, c.want) {
				t.Errorf("validated with %v, want %v", faults, c.want)
			}
		})
	}
}

func bundle(t *testing.T, dir string) tuf.Bundle {
	t.Helper()
	b, err := tuf.ParseBundle(read(t, dir, trusted))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func regenerate(t *testing.T, dir string, p streams.Plan) {
	t.Helper()
	if g, err := streams.Generate(dir, p); err != nil || !g.Changed {
		t.Fatalf("generated %+v, %v", g, err)
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func edit(name, old, by string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		b := read(t, dir, name)
		if !bytes.Contains(b, []byte(old)) {
			t.Fatalf("%s has no %q", name, old)
		}
		write(t, filepath.Join(dir, name), bytes.Replace(b, []byte(old), []byte(by), 1))
	}
}

// A tree of Juju's own tooling has no signature of this kind: it is taken only from a
// source that was named, and never where a signature is there and wrong.
func TestUnsignedTreesAreTakenFromNamedSourcesOnly(t *testing.T) {
	dir, other := tree(t), tree(t)
	for _, d := range []string{dir, other} {
		remove(trusted)(t, d)
	}
	named := trust(t)
	named.Unsigned = []string{dir}
	src, err := streams.Open(dir, named)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := src.List(t.Context(), "released"); err != nil || names(l.Found) != three || l.SignedBy != "" {
		t.Fatalf("listed %+v with %v", l, err)
	}
	if src, err = streams.Open(other, named); err != nil {
		t.Fatal(err)
	}
	if _, err := src.List(t.Context(), "released"); !errors.Is(err, tools.ErrUnsigned) {
		t.Fatalf("a source that was not named is listed with %v", err)
	}
	spoiled := tree(t)
	edit(products, `"size": 9`, `"size": 8`)(t, spoiled)
	named.Unsigned = []string{spoiled}
	if src, err = streams.Open(spoiled, named); err != nil {
		t.Fatal(err)
	}
	if _, err := src.List(t.Context(), "released"); !errors.Is(err, tools.ErrSignature) {
		t.Fatalf("a wrong signature is taken for none: %v", err)
	}
}

// BI-93: what was accepted is remembered across processes, by source and publisher.
func TestBI93ASourceCannotGoBack(t *testing.T) {
	dir := tree(t)
	old := t.TempDir()
	if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "", "1.25.2-trusty-amd64", "fourth")
	regenerate(t, dir, plan(t, "released", false, now.Add(time.Hour)))
	seen := filepath.Join(t.TempDir(), "seen.json")
	list := func() error {
		tr := trust(t)
		tr.Seen = &streams.SeenFile{Path: seen}
		src, err := streams.Open(dir, tr)
		if err == nil {
			_, err = src.List(t.Context(), "released")
		}
		return err
	}
	if err := errors.Join(list(), list()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(old))); err != nil {
		t.Fatal(err)
	}
	if err := list(); !errors.Is(err, streams.ErrRolledBack) || !strings.Contains(err.Error(), events.CodeTUFRollback) {
		t.Fatalf("an older tree is listed with %v", err)
	}
}

// What was seen of a directory is known by its place, not by what it was called there:
// another name does not lead back, and another tree of the same name is another one.
func TestADirectoryIsKnownByItsPlace(t *testing.T) {
	tr := trust(t)
	tr.Seen = &streams.SeenFile{Path: filepath.Join(t.TempDir(), "seen.json")}
	list := func(parent, name string) error {
		t.Chdir(parent)
		src, err := streams.Open(name, tr)
		if err == nil {
			_, err = src.List(t.Context(), "released")
		}
		return err
	}
	older, newer := t.TempDir(), t.TempDir()
	for parent, at := range map[string]time.Time{older: now, newer: now.Add(time.Hour)} {
		dir := filepath.Join(parent, "tree")
		put(t, dir, "", "1.25.0-trusty-amd64", "first")
		regenerate(t, dir, plan(t, "released", false, at))
	}
	if err := errors.Join(list(newer, "tree"), list(older, "tree")); err != nil {
		t.Fatalf("two trees of one name: %v", err)
	}
	if err := errors.Join(os.RemoveAll(filepath.Join(newer, "tree")), os.CopyFS(filepath.Join(newer, "tree"),
		os.DirFS(filepath.Join(older, "tree")))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tree", "./tree/tools", filepath.Join(newer, "tree"), "file://" + filepath.Join(newer, "tree")} {
		if err := list(newer, name); !errors.Is(err, streams.ErrRolledBack) {
			t.Errorf("an older tree is listed as %s: %v", name, err)
		}
	}
}

func TestSignaturesAreRenewedAtHalfTheirLife(t *testing.T) {
	dir := tree(t)
	if g := generate(t, dir, false, now.Add(life/2-time.Hour)); g.Changed {
		t.Fatal("renewed too early")
	}
	if g := generate(t, dir, false, now.Add(life/2+time.Hour)); !g.Changed {
		t.Fatal("not renewed")
	}
	if faults := streams.Validate(dir, "released", trust(t)); faults != nil {
		t.Fatal(faults)
	}
}

func TestMarks(t *testing.T) {
	dir := tree(t)
	number := func(s string) version.Number {
		n, err := version.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	p := plan(t, "released", false, now)
	p.Marks = map[version.Number]tools.Marks{number("1.25.1"): {Revoked: "eats data", Floor: true}}
	regenerate(t, dir, p)
	if g := generate(t, dir, false, now); g.Changed || g.Found[1].Revoked != "eats data" || !g.Found[2].Floor || g.Found[0].Marks != (tools.Marks{}) {
		t.Fatalf("the marks are not kept: %+v", g)
	}
	p.Marks = map[version.Number]tools.Marks{number("1.25.1"): {}}
	regenerate(t, dir, p)
	p.Marks = map[version.Number]tools.Marks{number("9.9.9"): {}}
	if _, err := streams.Generate(dir, p); err == nil || !strings.Contains(err.Error(), "no archive of version 9.9.9") {
		t.Fatalf("a version that is not there was marked: %v", err)
	}
}
