package statesrv_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/wire"
)

// repository opens the published metadata, so that a test can change and sign it.
func (p *place) repository() *tuf.Repository {
	p.Helper()
	b, err := p.alice.Ask(p.Context(), "trust", nil)
	var bundle tuf.Bundle
	if err == nil {
		bundle, err = tuf.ParseBundle(b)
	}
	var repo *tuf.Repository
	if err == nil {
		repo, err = tuf.OpenRepository(bundle)
	}
	if err != nil {
		p.Fatal(err)
	}
	return repo
}

// stage hands over a bundle, as its operator would.
func (p *place) stage(b []byte) (events.Object, error) {
	p.Helper()
	o := bus.ObjectOf(b)
	sig, err := p.alice.Identity().Sign(wire.StageStatement(bustest.Environment, o.SHA256))
	if err != nil {
		p.Fatal(err)
	}
	for at := 0; at < len(b) && err == nil; at += wire.StageBytes {
		var body []byte
		body, err = json.Marshal(wire.StagePiece{
			Bundle: o, Offset: int64(at), Data: b[at:min(len(b), at+wire.StageBytes)], Key: p.alice.Public(), Signature: sig,
		})
		if err == nil {
			_, err = p.alice.Ask(p.Context(), "trust-stage", body)
		}
	}
	return o, err
}

// release publishes a repository and gives what was decided.
func (p *place) release(repo *tuf.Repository) string {
	p.Helper()
	o, err := p.stage(repo.Bundle().Marshal())
	if err != nil {
		p.Fatal(err)
	}
	_, decision := p.ask(events.Ask{Action: events.ActionTrust, Trust: &events.AskTrust{Bundle: o}})
	return decision
}

// signTools has the release manager sign those archives that are not signed yet, and publishes that.
func (p *place) signTools(list ...tools.Tools) {
	p.Helper()
	repo := p.repository()
	fresh := false
	for _, t := range list {
		fresh = fresh || repo.Targets()[t.FileName()].SHA256 != t.SHA256
	}
	if !fresh {
		return
	}
	p.must(repo.SetTools(time.Now().Add(time.Hour), list...))
	_, err := repo.Sign(tuf.Targets, targetsKey)
	p.must(err)
	if got := p.release(repo); strings.Contains(got, "refused") {
		p.Fatalf("signing %v: %s", list, got)
	}
}

func (p *place) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// Each case breaks exactly one thing of a publication that would be taken.
func TestPublishingIsRefused(t *testing.T) {
	p := newPlace(t)
	p.start()
	before := p.state().Trust
	in := func(d time.Duration) time.Time { return time.Now().Add(d) }
	sign := func(repo *tuf.Repository) {
		_, err := repo.Sign(tuf.Targets, targetsKey)
		p.must(err)
	}
	for name, c := range map[string]struct {
		spoil func(repo *tuf.Repository) *tuf.Repository
		want  string
	}{
		"BI-21 nobody signed the targets": {func(r *tuf.Repository) *tuf.Repository {
			p.must(r.RemoveTargets(in(time.Hour)))
			return r
		}, events.CodeTUFThreshold},
		"BI-31 the targets have expired": {func(r *tuf.Repository) *tuf.Repository {
			p.must(r.RemoveTargets(in(-time.Hour)))
			sign(r)
			return r
		}, events.CodeTUFExpired},
		"it locks everybody out": {func(r *tuf.Repository) *tuf.Repository {
			p.must(r.SetJSON(in(time.Hour), tuf.FileOperators, events.Roster{Operators: []events.Operator{admin(p.alice)}}))
			sign(r)
			return r
		}, "trust-lockout"},
		"it begins with another root": {func(*tuf.Repository) *tuf.Repository {
			b := siteOf(t, before.Roster).First
			r, err := tuf.OpenRepository(b)
			p.must(err)
			return r
		}, "trust-stale"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := p.release(c.spoil(p.repository())); !strings.Contains(got, c.want) {
				t.Errorf("decided %q, want %s", got, c.want)
			}
			if now := p.state().Trust; now.Bundle != before.Bundle {
				t.Errorf("published all the same: %+v", now.Version)
			}
		})
	}
}

// Two operators begin with the same publication. The second to publish is refused, or the work of the first
// would be undone.
func TestTheSecondOfTwoPublicationsIsRefused(t *testing.T) {
	p := newPlace(t)
	p.start()
	first, second := p.repository(), p.repository()
	for i, repo := range []*tuf.Repository{first, second} {
		tool, _ := bytesTool(i)
		p.must(repo.SetTools(time.Now().Add(time.Hour), tool))
		_, err := repo.Sign(tuf.Targets, targetsKey)
		p.must(err)
	}
	if got := p.release(first); strings.Contains(got, "refused") {
		t.Fatal(got)
	}
	if got := p.release(second); !strings.Contains(got, "trust-stale") {
		t.Fatalf("decided %q", got)
	}
}

func bytesTool(i int) (tools.Tools, []byte) {
	v := bin("1.25.0")
	v.Number.Patch += i + 1
	data := bytes.Repeat([]byte{byte(i)}, 100)
	return tools.Tools{Version: v, Size: int64(len(data)), SHA256: bus.ObjectOf(data).SHA256}, data
}

// No piece of a stranger is staged, and no bundle whose bytes are not the announced ones. A bundle that was
// not staged is not published.
func TestStaging(t *testing.T) {
	p := newPlace(t)
	p.start()
	b := p.repository().Bundle().Marshal()
	o := bus.ObjectOf(b)
	stranger, err := bus.NewIdentity()
	p.must(err)
	sig, err := p.alice.Identity().Sign(wire.StageStatement(bustest.Environment, o.SHA256))
	p.must(err)
	good := wire.StagePiece{Bundle: o, Data: b, Key: p.alice.Public(), Signature: sig}
	for name, spoil := range map[string]func(*wire.StagePiece){
		"a stranger":        func(s *wire.StagePiece) { s.Key = stranger.Public() },
		"another signature": func(s *wire.StagePiece) { s.Signature = bytes.Repeat([]byte{1}, 64) },
		"more bytes":        func(s *wire.StagePiece) { s.Data = append(bytes.Clone(b), ' ') },
		"other bytes":       func(s *wire.StagePiece) { s.Data = bytes.Repeat([]byte(" "), len(b)) },
		"no size":           func(s *wire.StagePiece) { s.Bundle.Size = 0 },
	} {
		piece := good
		spoil(&piece)
		body, err := json.Marshal(piece)
		p.must(err)
		if _, err := p.alice.Ask(t.Context(), "trust-stage", body); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	_, decision := p.ask(events.Ask{Action: events.ActionTrust, Trust: &events.AskTrust{Bundle: o}})
	if !strings.Contains(decision, "trust-missing") {
		t.Errorf("what was not staged: %s", decision)
	}
}

// The timestamp is signed again when half of its life is over, also if no state server ran at that moment. A
// setting that changes its life takes effect at once.
func TestTheTimestampIsSignedAnew(t *testing.T) {
	p := newPlace(t)
	p.start()
	first := p.state().Trust
	seq := first.Seq
	published := func(r events.Record) bool { return r.Kind == (*events.TrustPublished)(nil).Kind() }
	p.ask(events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"trust-expiry": "720h"}})
	seq = p.wait(seq, "a timestamp that holds for longer", published).Seq
	if got := p.state().Trust; got.Version.Timestamp != first.Version.Timestamp+1 || time.Until(got.Fresh) < 700*time.Hour {
		t.Fatalf("signed anew: %+v until %s", got.Version, got.Fresh)
	}
	p.stop()
	p.ahead.Add(int64(400 * time.Hour))
	p.start()
	p.wait(seq, "a timestamp at half of its life", published)
	b, err := p.alice.Ask(t.Context(), "trust", nil)
	p.must(err)
	bundle, err := tuf.ParseBundle(b)
	p.must(err)
	if _, err := tuf.Open(p.site.Anchor, bundle, time.Now().Add(800*time.Hour)); err != nil {
		t.Fatalf("a reader refuses it: %v", err)
	}
	if _, err := tuf.Open(p.site.Anchor, bundle, time.Now().Add(1200*time.Hour)); events.CodeOf(err) == "" {
		t.Fatalf("it never expires: %v", err)
	}
}

// Machines refuse an archive that no release manager signed (BI-49) or that differs from the signed one
// (BI-50). A state server refuses the upgrade before it comes to that.
func TestBI49ArchivesThatNobodySigned(t *testing.T) {
	p := newPlace(t)
	p.start()
	tool, _ := bytesTool(0)
	other := tool
	other.SHA256 = strings.Repeat("ab", 32)
	ask := func(a tools.Tools) string {
		_, decision := p.askAsIs(events.Ask{Action: events.ActionUpgrade, Upgrade: &events.AskUpgrade{
			To: a.Version.Number, Client: a.Version.Number, Artefacts: []tools.Tools{a},
		}})
		return decision
	}
	if got := ask(tool); !strings.Contains(got, events.CodeTargetUnknown) {
		t.Errorf("BI-49: decided %q", got)
	}
	p.signTools(tool)
	if got := ask(other); !strings.Contains(got, events.CodeDigestDisagree) {
		t.Errorf("BI-50: decided %q", got)
	}
	if got := ask(tool); strings.Contains(got, events.CodeTargetUnknown) || strings.Contains(got, events.CodeDigestDisagree) {
		t.Errorf("signed, and decided %q", got)
	}
}
