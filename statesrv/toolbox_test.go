package statesrv_test

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv"
	"github.com/jujube-project/jujube/streams"
)

// packed makes tools of a version that hold text as jujud.
func packed(t *testing.T, v, text string) (tools.Tools, []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := archive.Pack(&b, archive.File{Name: "jujud", Size: int64(len(text)), Body: strings.NewReader(text)}); err != nil {
		t.Fatal(err)
	}
	return toolsOf(v, b.String())
}

// unchecked accepts every archive.
func unchecked() io.WriteCloser { return noCheck{io.Discard} }

type noCheck struct{ io.Writer }

func (noCheck) Close() error { return nil }

// signer signs every tree of these tests.
func signer(t *testing.T) streams.Signer {
	t.Helper()
	key := func(role byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{role}, 32)) }
	s, err := streams.NewSigner(key(11), key(12), key(13), key(14), signerMade)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// signerMade is when the signer's root begins: one time, one root, one anchor.
var signerMade = time.Now()

// from lets a state server take tools from a source, as they are signed here.
func from(t *testing.T, source string) func(*statesrv.Config) {
	return func(c *statesrv.Config) {
		c.Genesis.Settings = map[string]string{"tools-source": source, "tools-signers": signer(t).Anchor()}
	}
}

// tree makes a signed simplestreams tree with one archive, and says where the archive lies.
func tree(t *testing.T, a tools.Tools, data []byte) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(dir, "tools", "released", a.FileName())
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	plan := streams.Plan{Stream: "released", Signer: signer(t), Life: 24 * time.Hour, Now: time.Now()}
	if _, err := streams.Generate(dir, plan); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

// counted serves a tree and counts how often each path is asked for.
func counted(t *testing.T, dir string) (url string, asked func(suffix string) int) {
	t.Helper()
	var mu sync.Mutex
	paths := []string{}
	files := http.FileServer(http.Dir(dir))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		paths = append(paths, r.URL.Path)
		mu.Unlock()
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func(suffix string) (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, p := range paths {
			if strings.HasSuffix(p, suffix) {
				n++
			}
		}
		return n
	}
}

// The request is older than the state server's term: nobody has looked into the source
// yet. Every machine needs the archive, and it is fetched once.
func TestToolsAreFetchedOnceWhenAnUpgradeNeedsThem(t *testing.T) {
	p := newPlace(t)
	next, data := packed(t, "1.25.1", "new jujud")
	dir, _ := tree(t, next, data)
	url, asked := counted(t, dir)
	p.start(func(c *statesrv.Config) { c.Genesis.Settings["tools-signers"] = signer(t).Anchor() })
	p.zero()
	for range 3 {
		p.invite()
	}
	p.ask(events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"agent-metadata-url": url}})
	if _, got := p.ask(upgrade(next)); got != "upgrade.requested/1 upgrade.accepted/1" {
		t.Fatalf("the upgrade is %q", got)
	}
	p.waitKind(0, "upgrade.completed/1")
	if n := asked(next.FileName()); n != 1 {
		t.Errorf("the archive was fetched %d times", n)
	}
	var c wire.Catalogue
	p.query("tools", nil, &c)
	if len(c.Stored) != 1 || c.Stored[0] != next || len(c.Sources) != 1 || len(c.Problems) != 0 || len(c.InUse) != 1 || len(c.InUse[0].Machines) != 4 {
		t.Errorf("the catalogue is %+v", c)
	}
	p.state()
}

func TestAnArchiveWithOtherBytesHaltsTheUpgrade(t *testing.T) {
	p := newPlace(t)
	next, data := packed(t, "1.25.1", "new jujud")
	dir, file := tree(t, next, data)
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), len(data)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start(from(t, dir))
	p.ask(upgrade(next))
	halted := decode[*events.UpgradeHalted](p, p.waitKind(0, "upgrade.halted/1"))
	if codes(halted.Reasons) != "refused: no-tools" || !strings.Contains(halted.Reasons[0].Text, next.SHA256) {
		t.Fatalf("halted for %+v", halted.Reasons)
	}
	s := p.state()
	if len(s.Tools) != 0 || len(s.Orders) != 0 {
		t.Fatalf("stored %v, ordered %v", s.Tools, s.Orders)
	}
}

func TestAnUnreadableSourceIsAProblemNotAnEnd(t *testing.T) {
	p := newPlace(t)
	p.start(from(t, filepath.Join(t.TempDir(), "nothing")))
	var c wire.Catalogue
	p.query("tools", nil, &c)
	if len(c.Problems) != 1 || !strings.Contains(c.Problems[0], "nothing") {
		t.Fatalf("the problems are %q", c.Problems)
	}
}

// The first source is bad, so what an upgrade needs comes from the next.
func TestTheNextSourceIsAskedWhenOneIsBad(t *testing.T) {
	p := newPlace(t)
	next, data := packed(t, "1.25.1", "new jujud")
	dir, _ := tree(t, next, data)
	nothing := filepath.Join(t.TempDir(), "nothing")
	p.start(from(t, dir), func(c *statesrv.Config) { c.Genesis.Settings["agent-metadata-url"] = nothing })
	p.zero()
	p.ask(upgrade(next))
	p.waitKind(0, "upgrade.completed/1")
	s := p.state()
	if stored := s.Tools[next.Version.String()]; stored == nil || stored.SignedBy != signer(t).Anchor() || s.Lost[nothing] == nil || s.Lost[dir] != nil {
		t.Fatalf("stored %+v, lost %v", stored, s.Lost)
	}
	var c wire.Catalogue
	p.query("tools", nil, &c)
	if len(c.Problems) != 1 || !strings.Contains(c.Problems[0], nothing) || len(c.Sources) != 1 || c.Sources[0].Source != dir {
		t.Fatalf("the catalogue is %+v", c)
	}
}

func TestOtherBytesThanTheStoredOnesBlockAnUpgrade(t *testing.T) {
	p := newPlace(t)
	p.start()
	first, data := packed(t, "1.25.1", "first")
	if err := p.upload(first, data); err != nil {
		t.Fatal(err)
	}
	second, _ := toolsOf("1.25.1", "second")
	if _, got := p.ask(upgrade(second)); got != "refused: no-tools" {
		t.Fatalf("the upgrade is %q", got)
	}
}

// An archive that reached the store before the state server died, and not the log, is
// recorded when it is needed.
func TestAnArchiveThatOnlyTheStoreHas(t *testing.T) {
	p := newPlace(t)
	next, data := packed(t, "1.25.1", "new jujud")
	dir, file := tree(t, next, data)
	if err := p.bus.StateServer().Tools().Put(t.Context(), next, bytes.NewReader(data), unchecked); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	p.start(from(t, dir))
	p.zero()
	p.ask(upgrade(next))
	p.waitKind(0, "upgrade.completed/1")
	if s := p.state(); s.Tools[next.Version.String()] == nil {
		t.Fatal("the log does not have the tools")
	}
}

func TestQueries(t *testing.T) {
	p := newPlace(t)
	p.start()
	var v wire.Running
	p.query("version", nil, &v)
	if v.Version != version.Current() {
		t.Errorf("the version is %v", v.Version)
	}
	var env wire.EnvironmentInfo
	p.query("environment", nil, &env)
	if env.Name != "test" || env.Settings["upgrade-policy"] != "step" || !slices.Equal(env.Set, []string{"tools-source"}) {
		t.Errorf("the environment is %+v", env)
	}
	var served map[string]any
	p.query("status", nil, &served)
	if len(served) == 0 {
		t.Error("the status is empty")
	}
	var check wire.Check
	next, _ := toolsOf("1.25.1", "x")
	p.query("upgrade-check", upgrade(next).Upgrade, &check)
	if got := codes(check.Reasons); !strings.Contains(got, "no-tools") || !strings.Contains(got, "target-unknown") {
		t.Errorf("the check says %+v", check.Reasons)
	}
	for name, body := range map[string]string{"upgrade-check": "not json", "weather": ""} {
		if answer, err := p.alice.Ask(t.Context(), name, []byte(body)); err == nil {
			t.Errorf("the query %s of %q is answered %s", name, body, answer)
		}
	}
	if s := p.state(); len(s.Requests) != 0 || s.Upgrade != (*projections.Upgrade)(nil) {
		t.Error("a query changed something")
	}
}

// That a source cannot be read is recorded once. When it can be read again, that is recorded, too.
func TestLostSourcesAreRecorded(t *testing.T) {
	p := newPlace(t)
	next, data := packed(t, "1.25.1", "new jujud")
	dir, _ := tree(t, next, data)
	hidden := dir + ".away"
	if err := os.Rename(dir, hidden); err != nil {
		t.Fatal(err)
	}
	p.start(from(t, dir))
	lost := decode[*events.SourceLost](p, p.waitKind(0, "tools.source_lost/1"))
	if lost.Source != dir || !strings.Contains(lost.Reason, "no such file") {
		t.Fatalf("lost %+v", lost)
	}
	var c wire.Catalogue
	p.query("tools", nil, &c)
	if err := os.Rename(hidden, dir); err != nil {
		t.Fatal(err)
	}
	p.query("tools", nil, &c)
	p.waitKind(0, "tools.source_returned/1")
	if s := p.state(); len(s.Lost) != 0 {
		t.Fatalf("still lost: %v", s.Lost)
	}
}

// What a source says of a version holds for upgrades, although nothing of the source is stored.
func TestRevokedVersionsAreRefused(t *testing.T) {
	p := newPlace(t)
	next, data := packed(t, "1.25.1", "new jujud")
	dir, _ := tree(t, next, data)
	plan := streams.Plan{
		Stream: "released", Signer: signer(t), Life: time.Hour, Now: time.Now(),
		Marks: map[version.Number]tools.Marks{next.Version.Number: {Revoked: "eats data"}},
	}
	if _, err := streams.Generate(dir, plan); err != nil {
		t.Fatal(err)
	}
	p.start(from(t, dir))
	if _, got := p.ask(upgrade(next)); got != "refused: revoked" {
		t.Fatalf("the upgrade is %q", got)
	}
	var c wire.Catalogue
	p.query("tools", nil, &c)
	if len(c.Marks) != 1 || c.Marks[0].Revoked != "eats data" || c.Sources[0].SignedBy != signer(t).Anchor() {
		t.Fatalf("the catalogue is %+v", c)
	}
}

// A revocation holds when its source is lost, and until the same publisher takes it back.
func TestARevocationOutlivesItsSource(t *testing.T) {
	p := newPlace(t)
	next, data := packed(t, "1.25.1", "new jujud")
	dir, _ := tree(t, next, data)
	mark := func(at time.Time, m tools.Marks) {
		_, err := streams.Generate(dir, streams.Plan{
			Stream: "released", Signer: signer(t), Life: time.Hour, Now: at, Marks: map[version.Number]tools.Marks{next.Version.Number: m},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	mark(time.Now(), tools.Marks{Revoked: "eats data"})
	p.start(from(t, dir))
	first := p.waitKind(0, "tools.marked/1")
	if m := decode[*events.ToolsMarked](p, first); m.Marks.Revoked != "eats data" || m.Source != dir || m.SignedBy != signer(t).Anchor() || m.Signing == 0 {
		t.Fatalf("recorded %+v", m)
	}
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	var c wire.Catalogue
	p.query("tools", nil, &c)
	if len(c.Problems) != 1 || len(c.Marks) != 1 || c.Marks[0].Revoked != "eats data" {
		t.Fatalf("without its source, the catalogue is %+v", c)
	}
	if _, got := p.ask(upgrade(next)); !strings.Contains(got, "revoked") {
		t.Fatalf("without its source, the upgrade is %q", got)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	mark(time.Now().Add(time.Minute), tools.Marks{})
	p.query("tools", nil, &c)
	if m := decode[*events.ToolsMarked](p, p.waitKind(first.Seq, "tools.marked/1")); m.Marks != (tools.Marks{}) {
		t.Fatalf("taken back, it records %+v", m)
	}
	var after wire.Catalogue
	if p.query("tools", nil, &after); len(after.Marks) != 0 {
		t.Fatalf("taken back, it says %+v", after.Marks)
	}
}

// A source that breaks off in the middle of an archive does not halt the upgrade. That the source is lost is
// recorded at once.
func TestASourceThatBreaksOffIsLostNotHopeless(t *testing.T) {
	p := newPlace(t)
	next, data := packed(t, "1.25.1", "new jujud")
	dir, _ := tree(t, next, data)
	var gone atomic.Bool
	files := http.FileServer(http.Dir(dir))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, next.FileName()):
			gone.Store(true)
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
			_, _ = w.Write(data[:len(data)/2])
			panic(http.ErrAbortHandler)
		case gone.Load():
			http.Error(w, "away", http.StatusServiceUnavailable)
		default:
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	p.start(from(t, srv.URL))
	if _, got := p.ask(upgrade(next)); got != "upgrade.requested/1 upgrade.accepted/1" {
		t.Fatalf("the upgrade is %q", got)
	}
	lost := decode[*events.SourceLost](p, p.waitKind(0, "tools.source_lost/1"))
	if lost.Source != srv.URL || !strings.Contains(lost.Reason, "503") {
		t.Fatalf("lost %+v", lost)
	}
	if s := p.state(); s.Upgrade == nil || len(s.Upgrade.Halted) > 0 {
		t.Fatalf("the upgrade is %+v", s.Upgrade)
	}
}

// The metadata of a source can be read, the archive cannot. That is recorded once, and the upgrade goes on
// when the archive is there.
func TestAnArchiveThatIsMissingIsSaid(t *testing.T) {
	p := newPlace(t)
	next, data := packed(t, "1.25.1", "new jujud")
	dir, file := tree(t, next, data)
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	p.start(from(t, dir))
	p.zero()
	if _, got := p.ask(upgrade(next)); got != "upgrade.requested/1 upgrade.accepted/1" {
		t.Fatalf("the upgrade is %q", got)
	}
	missed := decode[*events.ToolsMissed](p, p.waitKind(0, "tools.missed/1"))
	if missed.Tools != next || !strings.Contains(missed.Reason, "no such file") {
		t.Fatalf("missed %+v", missed)
	}
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	p.ahead.Add(int64(15 * time.Second)) // the time of the next try
	p.waitKind(0, "upgrade.completed/1")
	if s := p.state(); s.Upgrade != nil || len(s.Tools) != 1 {
		t.Fatalf("the state is %+v, %v", s.Upgrade, s.Tools)
	}
}
