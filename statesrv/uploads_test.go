package statesrv_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
)

// big is an archive of some pieces, whose last one is not full.
func big(t *testing.T, v string) (tools.Tools, []byte) {
	return packed(t, v, string(noise(5_000_000)))
}

// cutReader fails where a connection would be lost.
type cutReader struct {
	*bytes.Reader
	left int
}

var errCut = errors.New("cut off")

func (c *cutReader) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, errCut
	}
	n, err := c.Reader.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// uploadCut uploads until left bytes were read, and says how many were there before.
func (p *place) uploadCut(t tools.Tools, data []byte, left int) (before int64, err error) {
	p.Helper()
	before = -1
	head := wire.PieceHead{Tools: t, Request: p.announce(t.Version)}
	err = p.alice.Upload(p.Context(), head, &cutReader{bytes.NewReader(data), left}, func(stored int64) {
		if before < 0 {
			before = stored
		}
	})
	return before, err
}

func (p *place) announce(v ...version.Binary) string {
	p.Helper()
	id, _ := p.ask(events.Ask{Action: events.ActionSyncTools, SyncTools: &events.AskSyncTools{Source: "here", Wanted: v, Unsigned: true}})
	return id
}

func TestAnUploadGoesOnWhereItWasCutOff(t *testing.T) {
	p := newPlace(t)
	p.start()
	a, data := big(t, "1.25.1")
	if _, err := p.uploadCut(a, data, 3_000_000); !errors.Is(err, errCut) {
		t.Fatalf("the first try: %v", err)
	}
	// Asked on the same connection: what was sent before has been taken.
	if before, err := p.uploadCut(a, data, 0); !errors.Is(err, errCut) || before <= 0 {
		t.Fatalf("of the first try %d bytes are there: %v", before, err)
	}
	machine := p.bus.Agent("machine-0").Tools()
	if _, err := machine.Fetch(t.Context(), a.SHA256, 0, io.Discard); !errors.Is(err, bus.ErrNotFound) {
		t.Fatalf("half an archive is visible: %v", err)
	}
	p.stop()
	p.start()
	before, err := p.uploadCut(a, data, 4_500_000)
	if !errors.Is(err, errCut) || before == 0 {
		t.Fatalf("the second try begins at %d: %v", before, err)
	}
	again, err := p.uploadCut(a, data, len(data))
	if err != nil || again <= before {
		t.Fatalf("the third try begins at %d, behind %d: %v", again, before, err)
	}
	var got bytes.Buffer
	if _, err := machine.Fetch(t.Context(), a.SHA256, 0, &got); err != nil || !bytes.Equal(got.Bytes(), data) {
		t.Fatalf("a machine fetches %d bytes, %v", got.Len(), err)
	}
	if before, err := p.uploadCut(a, data, 0); err != nil || before != a.Size {
		t.Errorf("what is there is uploaded from %d on: %v", before, err)
	}
	if s := p.state(); len(s.Tools) != 1 {
		t.Errorf("the log has the tools %v", s.Tools)
	}
}

func TestTwoUploadTheSameArchive(t *testing.T) {
	p := newPlace(t)
	p.start()
	a, data := big(t, "1.25.1")
	head := wire.PieceHead{Tools: a, Request: p.announce(a.Version)}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if err := p.alice.Upload(t.Context(), head, bytes.NewReader(data), nil); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if s := p.state(); len(s.Tools) != 1 {
		t.Errorf("the log has the tools %v", s.Tools)
	}
}

// entry is one entry of an archive that no packer of ours would pack.
type entry struct {
	tar.Header
	body string
}

func file(name, body string) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(body))}, body}
}

func tgz(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	out := tar.NewWriter(zipped)
	for _, e := range entries {
		if err := out.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	_ = out.Flush() // of an entry that promises more than it has
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBadArchivesAreNotStored(t *testing.T) {
	p := newPlace(t)
	p.start()
	good := file("jujud", "a jujud")
	link := func(kind byte) entry {
		return entry{tar.Header{Name: "jujud", Typeflag: kind, Linkname: "/etc/passwd"}, ""}
	}
	whole := tgz(t, good)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"no archive":                {[]byte("just text"), "it is not gzip-compressed"},
		"cut short":                 {whole[:len(whole)-10], "unexpected EOF"},
		"bytes behind its end":      {append(bytes.Clone(whole), "more"...), "bad archive of tools"},
		"no jujud":                  {tgz(t, file("FORCE-VERSION", "1.25.1")), "there is no jujud in it"},
		"another version in it":     {tgz(t, good, file("FORCE-VERSION", "1.25.2")), `it says "1.25.2", the archive's name says 1.25.1`},
		"a path that escapes":       {tgz(t, good, file("../jujud", "x")), `"../jujud" is not one of`},
		"an absolute path":          {tgz(t, file("/usr/bin/jujud", "x")), `"/usr/bin/jujud" is not one of`},
		"a symbolic link":           {tgz(t, link(tar.TypeSymlink)), `"jujud" is no regular file`},
		"a hard link":               {tgz(t, link(tar.TypeLink)), `"jujud" is no regular file`},
		"a device":                  {tgz(t, link(tar.TypeChar)), `"jujud" is no regular file`},
		"a directory":               {tgz(t, link(tar.TypeDir)), "is no regular file"},
		"an empty jujud":            {tgz(t, file("jujud", "")), `"jujud" is empty`},
		"jujud twice":               {tgz(t, good, good), "is in it twice"},
		"more than may be unpacked": {tgz(t, entry{tar.Header{Name: "jujud", Typeflag: tar.TypeReg, Size: 2 << 30}, "x"}), "it unpacks to more than"},
	} {
		sum := sha256.Sum256(c.data)
		bad := tools.Tools{Version: bin("1.25.1"), Size: int64(len(c.data)), SHA256: hex.EncodeToString(sum[:])}
		if err := p.upload(bad, c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if there, err := p.bus.StateServer().Tools().Has(t.Context(), bad.SHA256); there || err != nil {
			t.Errorf("%s: it is visible: %v, %v", name, there, err)
		}
	}
	if s := p.state(); len(s.Tools) != 0 {
		t.Errorf("the log has the tools %v", s.Tools)
	}
	if left, err := p.bus.StateServer().Tools().Sweep(t.Context(), time.Now().Add(time.Hour), 0); len(left) > 0 || err != nil {
		t.Errorf("chunks are left of %v: %v", left, err)
	}
}

func TestRefusedUploads(t *testing.T) {
	p := newPlace(t)
	p.start()
	first, data := packed(t, "1.25.1", "first")
	if err := p.upload(first, data); err != nil {
		t.Fatal(err)
	}
	p.signTools(first)
	second, secondData := packed(t, "1.25.1", "second")
	wrong, _ := packed(t, "1.25.2", "right")
	for name, c := range map[string]struct {
		tools tools.Tools
		data  []byte
		want  string
	}{
		"other bytes":                {wrong, bytes.Repeat([]byte("x"), int(wrong.Size)), "expected sha256 " + wrong.SHA256},
		"a version that is there":    {second, secondData, "never replaced"},
		"fewer bytes than announced": {wrong, []byte("r"), "ends before"},
	} {
		if err := p.upload(c.tools, c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	refused, _ := p.ask(events.Ask{Action: events.ActionSyncTools})
	for request, want := range map[string]string{
		"unknown": "no accepted sync-tools request", refused: "no accepted sync-tools request",
		p.announce(first.Version): "does not name 1.25.2-trusty-amd64",
	} {
		err := p.alice.Upload(t.Context(), wire.PieceHead{Tools: wrong, Request: request}, strings.NewReader("right"), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("after request %s: %v", request, err)
		}
	}
	if s := p.state(); len(s.Tools) != 1 || s.Tools[first.Version.String()].SHA256 != first.SHA256 {
		t.Fatalf("the log has the tools %v", s.Tools)
	}
}

// with adds operators to those that the environment begins with.
func (p *place) with(more ...events.Operator) {
	p.Helper()
	id, err := p.creds.Identity()
	if err != nil {
		p.Fatal(err)
	}
	p.site = siteOf(p.TB, events.Roster{Operators: append([]events.Operator{admin(p.alice)}, more...), StateServers: []string{id.Public()}})
}

// Who may not bring tools stores no byte, not even for somebody else's request. Who may, and brings other bytes
// first, does not keep the genuine archive out: only what release managers have signed has its place for good.
func TestB21OnlyWhatIsSignedKeepsItsPlace(t *testing.T) {
	p := newPlace(t)
	bob, eve := p.bus.Operator("bob"), p.bus.Operator("eve")
	p.with(
		events.Operator{Name: "bob", Key: bob.Public(), Grants: []events.Grant{{Role: events.RoleOperate}}},
		events.Operator{Name: "eve", Key: eve.Public(), Grants: []events.Grant{{Role: events.RoleRelease}}},
	)
	p.start()
	genuine, data := packed(t, "1.25.1", "genuine")
	evil, evilData := packed(t, "1.25.1", "evil, and longer than the genuine one")
	send := func(who *bus.Conn, a tools.Tools, data []byte) error {
		return who.Upload(t.Context(), wire.PieceHead{Tools: a, Request: p.announce(a.Version)}, bytes.NewReader(data), nil)
	}
	store := p.bus.StateServer().Tools()
	for _, archive := range []tools.Tools{evil, genuine} {
		bytesOf := map[string][]byte{evil.SHA256: evilData, genuine.SHA256: data}[archive.SHA256]
		if err := send(bob, archive, bytesOf); err == nil || !strings.Contains(err.Error(), bus.ErrDenied.Error()) {
			t.Fatalf("bob, who may not bring tools: %v", err)
		}
	}
	if left, err := store.Sweep(t.Context(), time.Now().Add(time.Hour), 0); len(left) > 0 || err != nil {
		t.Fatalf("bob has stored %v, %v", left, err)
	}
	if err := send(eve, evil, evilData); err != nil {
		t.Fatalf("eve, who may bring tools: %v", err)
	}
	if err := send(p.alice, genuine, data); err != nil {
		t.Fatalf("the genuine archive, after other bytes: %v", err)
	}
	if s := p.state(); s.Tools[genuine.Version.String()].SHA256 != genuine.SHA256 {
		t.Fatalf("the log has %v", s.Tools[genuine.Version.String()])
	}
	for there := true; there; { // what gave way is removed
		var err error
		if there, err = store.Has(t.Context(), evil.SHA256); err != nil {
			t.Fatal(err)
		}
	}
	p.signTools(genuine)
	if err := send(eve, evil, evilData); err == nil || !strings.Contains(err.Error(), "never replaced") {
		t.Fatalf("other bytes for a version that was signed: %v", err)
	}
	if s := p.state(); s.Tools[genuine.Version.String()].SHA256 != genuine.SHA256 {
		t.Fatalf("the log has %v", s.Tools[genuine.Version.String()])
	}
}
