package tuf_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
)

// start is when every test begins; nothing here reads a clock.
var start = time.Date(2015, 6, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// key gives the same key pair for the same name.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(name string) ed25519.PublicKey { return key(name).Public().(ed25519.PublicKey) }

func keysOf(threshold int, names ...string) tuf.Keys {
	k := tuf.Keys{Threshold: threshold}
	for _, n := range names {
		k.Public = append(k.Public, public(n))
	}
	return k
}

func signers(names ...string) []crypto.Signer {
	var list []crypto.Signer
	for _, n := range names {
		list = append(list, key(n))
	}
	return list
}

// site is a repository and the names of the keys that sign it.
type site struct {
	t     testing.TB
	repo  *tuf.Repository
	root  []string // who signs roots
	rel   []string // who signs targets
	snap  string
	stamp string
	need  int // of root and of targets
}

// newSite makes a site in which one of one keys must sign if need is 1, and two of three if need is 2.
func newSite(t testing.TB, need int) *site {
	t.Helper()
	s := &site{t: t, need: need, snap: "snap", stamp: "stamp", root: []string{"root-a"}, rel: []string{"rel-a"}}
	if need > 1 {
		s.root, s.rel = []string{"root-a", "root-b", "root-c"}, []string{"rel-a", "rel-b", "rel-c"}
	}
	repo, err := tuf.NewRepository(s.roles(), start.Add(365*day), start.Add(90*day))
	s.must(err)
	s.repo = repo
	_, err = repo.Sign(tuf.Root, signers(s.root[:need]...)...)
	s.must(err)
	s.must(repo.SetTools(start.Add(90*day), archive("1.25.0"), archive("1.25.1")))
	s.must(repo.SetJSON(start.Add(90*day), tuf.FileOperators, roster("alice")))
	s.must(repo.SetJSON(start.Add(90*day), tuf.FileFloor, tuf.Floor{Version: number("1.24.0")}))
	return s
}

func (s *site) roles() tuf.Roles {
	return tuf.Roles{
		Root: keysOf(s.need, s.root...), Targets: keysOf(s.need, s.rel...),
		Snapshot: keysOf(1, s.snap), Timestamp: keysOf(1, s.stamp),
	}
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// publish signs everything that lacks signatures, and gives the bundle.
func (s *site) publish(now time.Time) tuf.Bundle {
	s.t.Helper()
	_, err := s.repo.Sign(tuf.Targets, signers(s.rel[:s.need]...)...)
	s.must(err)
	s.must(s.repo.Freshen(now, tuf.DefaultLives, signers(s.snap, s.stamp)...))
	return s.repo.Bundle()
}

// rotate replaces every key of every role. The old and the new root keys sign the new root.
func (s *site) rotate(generation int, now time.Time) {
	s.t.Helper()
	old := s.root
	rename := func(names []string) []string {
		var list []string
		for i := range names {
			list = append(list, fmt.Sprintf("%s/%d/%d", names[i][:3], generation, i))
		}
		return list
	}
	s.root, s.rel = rename(s.root), rename(s.rel)
	s.snap, s.stamp = fmt.Sprint("snap/", generation), fmt.Sprint("stamp/", generation)
	s.must(s.repo.SetRoles(s.roles(), now.Add(365*day)))
	_, err := s.repo.Sign(tuf.Root, signers(old[:s.need]...)...)
	s.must(err)
	_, err = s.repo.Sign(tuf.Root, signers(s.root[:s.need]...)...)
	s.must(err)
	s.must(s.repo.RemoveTargets(now.Add(90 * day))) // the new keys must sign what the old ones did
}

func (s *site) begin(b tuf.Bundle) tuf.Trusted {
	s.t.Helper()
	t, err := tuf.Open(s.repo.Anchor(), b, start)
	s.must(err)
	return t
}

func number(s string) version.Number {
	n, err := version.Parse(s)
	if err != nil {
		panic(err)
	}
	return n
}

func archive(v string) tools.Tools {
	sum := sha256.Sum256([]byte(v))
	return tools.Tools{Version: version.Binary{Number: number(v), Series: "trusty", Arch: "amd64"}, Size: 1 << 20, SHA256: fmt.Sprintf("%x", sum)}
}

func roster(names ...string) events.Roster {
	var r events.Roster
	for _, n := range names {
		r.Operators = append(r.Operators, events.Operator{Name: n, Key: "U" + n, Grants: []events.Grant{{Role: events.RoleAdmin}}})
	}
	return r
}

// refused checks the code of a refusal.
func refused(t testing.TB, err error, code string) {
	t.Helper()
	if events.CodeOf(err) != code {
		t.Errorf("it says %v, not %s", err, code)
	}
}
