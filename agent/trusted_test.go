package agent

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/install/crashfs"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
)

// A site publishes, and is the object store of what it published.
type site struct {
	fakeBus
	t       *testing.T
	repo    *tuf.Repository
	objects map[string][]byte
	fetches int
	down    bool
}

func siteKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func oneKey(name string) tuf.Keys {
	return tuf.Keys{Threshold: 1, Public: []ed25519.PublicKey{siteKey(name).Public().(ed25519.PublicKey)}}
}

const year = 365 * 24 * time.Hour

func newSite(t *testing.T, name string, now time.Time) *site {
	t.Helper()
	s := &site{t: t, objects: map[string][]byte{}, fakeBus: fakeBus{connected: []bool{true}}}
	repo, err := tuf.NewRepository(tuf.Roles{
		Root: oneKey(name + "/root"), Targets: oneKey(name + "/targets"), Snapshot: oneKey(name + "/online"), Timestamp: oneKey(name + "/online"),
	}, now.Add(year), now.Add(year))
	s.must(err)
	_, err = repo.Sign(tuf.Root, siteKey(name+"/root"))
	s.must(err)
	s.must(repo.SetJSON(now.Add(year), tuf.FileOperators, events.Roster{Operators: []events.Operator{{Name: "alice", Key: "UALICE"}}}))
	_, err = repo.Sign(tuf.Targets, siteKey(name+"/targets"))
	s.must(err)
	s.repo = repo
	return s
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) Fetch(_ context.Context, sha256 string, _ int64, w io.Writer) (int64, error) {
	s.fetches++
	if s.down {
		return 0, errors.New("no connection")
	}
	n, err := w.Write(s.objects[sha256])
	return int64(n), err
}

// publish signs a timestamp and gives the record.
func (s *site) publish(name string, now time.Time) *events.TrustPublished {
	s.t.Helper()
	s.must(s.repo.Freshen(now, tuf.DefaultLives, siteKey(name+"/online")))
	b := s.repo.Bundle()
	t, err := tuf.Open(s.repo.Anchor(), b, now)
	s.must(err)
	raw := b.Marshal()
	digest := tuf.AnchorOf(raw).SHA256
	s.objects[digest] = raw
	fresh, whole := t.Expires()
	return &events.TrustPublished{
		Bundle: events.Object{SHA256: digest, Size: int64(len(raw))}, Version: t.Versions(), Fresh: fresh, Expires: whole,
		Timestamp: b.Timestamp, Roster: t.Roster(),
	}
}

func (s *site) nextTargets(now time.Time) {
	s.t.Helper()
	s.must(s.repo.RemoveTargets(now.Add(year), "nothing"))
	_, err := s.repo.Sign(tuf.Targets, siteKey("site/targets"))
	s.must(err)
}

// A reader is the trust of one machine on a disk in memory, and what it told.
type reader struct {
	*trust
	telling sync.Mutex
	told    []events.Report
}

func (s *site) reader(disk host.Disk, now func() time.Time) *reader {
	s.t.Helper()
	r := &reader{}
	var err error
	r.trust, err = openTrust(install.Layout{Dir: "/data", Machine: "3", Disk: disk}, s.repo.Anchor(),
		Config{Bus: s, Now: now, Logger: slog.New(slog.DiscardHandler)}, func(p events.Report) {
			r.telling.Lock()
			defer r.telling.Unlock()
			r.told = append(r.told, p)
		})
	s.must(err)
	return r
}

func (r *reader) takes(p *events.TrustPublished) tuf.Trusted {
	r.published(p)
	return r.Present(context.Background())
}

func (r *reader) codes() (codes []string) {
	r.telling.Lock()
	defer r.telling.Unlock()
	for _, p := range r.told {
		switch p := p.(type) {
		case *events.TrustRefused:
			codes = append(codes, p.Code)
		case *events.TrustStale:
			codes = append(codes, "stale")
		}
	}
	return codes
}

func emptyDisk(t *testing.T, m crashfs.Model) *crashfs.FS {
	t.Helper()
	disk := crashfs.New(m)
	if err := errors.Join(disk.Mkdir("/data"), disk.Mkdir("/data/agents"), disk.Mkdir("/data/agents/machine-3")); err != nil {
		t.Fatal(err)
	}
	disk.SyncAll()
	return disk
}

var june = time.Date(2015, 6, 1, 12, 0, 0, 0, time.UTC)

func atJune() time.Time { return june }

func TestTrustIsTakenAndKept(t *testing.T) {
	s := newSite(t, "site", june)
	disk := emptyDisk(t, crashfs.Ext4)
	r := s.reader(disk, atJune)
	if !r.takes(nil).IsZero() {
		t.Fatal("it trusts somebody of its own accord")
	}
	got := r.takes(s.publish("site", june))
	if _, ok := got.Roster().Operator("UALICE"); !ok || s.fetches != 1 {
		t.Fatalf("it believes %+v after %d fetches", got.Versions(), s.fetches)
	}
	if got := r.takes(s.publish("site", june)); got.Versions().Timestamp != 2 || s.fetches != 1 {
		t.Fatalf("a timestamp alone: %+v after %d fetches", got.Versions(), s.fetches)
	}
	s.down = true
	s.nextTargets(june)
	next := s.publish("site", june)
	if got := r.takes(next); got.Versions().Targets != 1 {
		t.Fatalf("without a connection: %+v", got.Versions())
	}
	s.down = false
	again := s.reader(disk, atJune) // the next process
	if again.have.Versions() != r.have.Versions() {
		t.Fatalf("the next process believes %+v", again.have.Versions())
	}
	if got := again.takes(next); got.Versions().Targets != 2 {
		t.Fatalf("with a connection: %+v", got.Versions())
	}
	if got := r.Present(context.Background()); got.Versions().Targets != 2 || len(r.told) > 0 {
		t.Fatalf("tried again: %+v, told %v", got.Versions(), r.codes())
	}
}

func TestTrustRefusesOnceAndStaysAsItWas(t *testing.T) {
	s := newSite(t, "site", june)
	r := s.reader(emptyDisk(t, crashfs.Ext4), atJune)
	first := s.publish("site", june)
	r.takes(first)
	want := r.takes(s.publish("site", june)).Versions()
	other := newSite(t, "other", june)
	strange := other.publish("other", june)
	strange.Version.Root = 9
	s.objects[strange.Bundle.SHA256] = other.objects[strange.Bundle.SHA256]
	for range 3 {
		for _, p := range []*events.TrustPublished{strange, strange} {
			if got := r.takes(p); got.Versions() != want {
				t.Fatalf("it believes %+v", got.Versions())
			}
		}
	}
	if got := r.takes(first); got.Versions() != want {
		t.Fatalf("it went back to %+v", got.Versions())
	}
	if got := fmt.Sprint(r.codes()); got != "[tuf-threshold tuf-rollback]" {
		t.Errorf("it told %s", got)
	}
	lied := *strange // the object is not what the record says
	lied.Bundle.SHA256 = first.Bundle.SHA256
	s.objects[first.Bundle.SHA256] = []byte("{}")
	r.published(&lied)
	if err := r.refresh(context.Background()); err == nil || r.news.Load() == nil {
		t.Errorf("another object: %v, and it is not tried again", err)
	}
}

// The power is cut after every call on the disk while a second publication is kept, and
// the machine is left with every state that a disk can be in then.
func TestBI39CutWhileTrustIsKept(t *testing.T) {
	for _, model := range []crashfs.Model{crashfs.Ext4, crashfs.Minimal} {
		t.Run("BI-39 "+model.String(), func(t *testing.T) {
			s := newSite(t, "site", june)
			disk := emptyDisk(t, model)
			r := s.reader(disk, atJune)
			r.takes(s.publish("site", june))
			s.nextTargets(june)
			second := s.publish("site", june)
			seen := map[int64]int{}
			states := 0
			disk.After = func(c crashfs.Call) {
				for after := range disk.States() {
					states++
					again := s.reader(after.Clone(), atJune)
					seen[again.have.Versions().Targets]++
					if got := again.takes(second); got.Versions().Targets != 2 || len(again.told) > 0 {
						t.Fatalf("BI-39: cut after %s %s: %+v, told %v", c.Op, c.Path, got.Versions(), again.codes())
					}
				}
			}
			r.takes(second)
			disk.After = nil
			t.Logf("%d states, by version of targets: %v", states, seen)
			if seen[0] > 0 || seen[1] == 0 || seen[2] == 0 {
				t.Errorf("BI-39: states by version of targets: %v", seen)
			}
			for after := range disk.States() {
				if got := s.reader(after.Clone(), atJune).have.Versions().Targets; got != 2 {
					t.Errorf("BI-39: what was believed is targets %d after a cut", got)
				}
			}
		})
	}
}

// Copies are damaged in every way; one good copy is enough, and without one the machine
// begins anew at the pinned root, which nobody on the network can choose.
func TestBI40DamagedCopies(t *testing.T) {
	s := newSite(t, "site", june)
	good := emptyDisk(t, crashfs.Ext4)
	first := s.reader(good, atJune)
	first.takes(s.publish("site", june))
	want := first.have.Versions()
	fake := newSite(t, "fake", june)
	fakeRecord := fake.publish("fake", june)
	s.objects[fakeRecord.Bundle.SHA256] = fake.objects[fakeRecord.Bundle.SHA256]

	damages := map[string]func(b []byte) []byte{
		"zeroed":    func(b []byte) []byte { return make([]byte, len(b)) },
		"truncated": func(b []byte) []byte { return b[:len(b)/2] },
		"emptied":   func([]byte) []byte { return nil },
		"removed":   nil,
	}
	for i := range 16 {
		damages[fmt.Sprintf("flipped %d/16", i)] = func(b []byte) []byte { b[len(b)*i/16] ^= 0x10; return b }
	}
	for name, damage := range damages {
		for _, files := range [][]string{{"trusted.1"}, {"trusted.2"}, {"trusted.1", "trusted.2"}} {
			t.Run(fmt.Sprintf("BI-40 %s %v", name, files), func(t *testing.T) {
				disk := good.Clone()
				for _, f := range files {
					spoil(t, disk, filepath.Join("/data/agents/machine-3", f), damage)
				}
				r := s.reader(disk, atJune)
				if len(files) == 1 {
					if r.have.Versions() != want {
						t.Fatalf("with one good copy it believes %+v", r.have.Versions())
					}
					return
				}
				if !r.have.IsZero() {
					t.Fatalf("of nothing it believes %+v", r.have.Versions())
				}
				if got := r.takes(fakeRecord); !got.IsZero() || fmt.Sprint(r.codes()) != "[tuf-anchor]" {
					t.Fatalf("it believes a root that is not pinned: %+v, told %v", got.Versions(), r.codes())
				}
				if got := r.takes(s.publish("site", june)); got.Versions().Root != 1 {
					t.Fatalf("begun anew: %+v, told %v", got.Versions(), r.codes())
				}
			})
		}
	}
}

// spoil changes a file in place; no damage: it is removed.
func spoil(t *testing.T, disk *crashfs.FS, path string, damage func([]byte) []byte) {
	t.Helper()
	f, err := disk.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close(), disk.Remove(path)); err != nil {
		t.Fatal(err)
	}
	if damage == nil {
		return
	}
	f, err = disk.Create(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.Write(damage(b)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// Nothing newer comes: it is told once, when four fifths are over, and again only for the
// next timestamp. A clock that is set back does not help the old one.
func TestTrustGoesStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now
		s := newSite(t, "site", now())
		r := s.reader(emptyDisk(t, crashfs.Ext4), now)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.run(ctx) }()
		r.published(s.publish("site", now()))
		synctest.Wait()
		told := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := fmt.Sprint(r.codes()); got != want {
				t.Errorf("at %s it told %s, want %s", now(), got, want)
			}
		}
		after := func(d time.Duration) { <-time.After(d) }
		after(19 * time.Hour)
		told("[]")
		after(20 * time.Minute)
		told("[stale]")
		after(10 * time.Hour)
		told("[stale]")
		if _, ends := r.Present(ctx).Expires(); now().Before(ends) {
			t.Errorf("at %s it still holds until %s", now(), ends)
		}
		r.published(s.publish("site", now()))
		after(time.Minute)
		if _, ends := r.Present(ctx).Expires(); !now().Before(ends) {
			t.Errorf("at %s it ended at %s, although something newer was published", now(), ends)
		}
		after(24 * time.Hour)
		told("[stale stale]")
		cancel()
		<-done
	})
}
