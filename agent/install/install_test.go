package install_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
)

const (
	old   = "1.24.0-trusty-amd64"
	newer = "1.25.1-trusty-amd64"
)

// installed is a data directory whose link points to a complete old version.
func installed(t *testing.T) install.Layout {
	t.Helper()
	return hostIn(t, t.TempDir())
}

func hostIn(t *testing.T, dir string) install.Layout {
	t.Helper()
	l := install.Layout{Dir: dir, Machine: "3"}
	exe := filepath.Join(l.Dir, "installed", "jujud")
	check(t, os.MkdirAll(filepath.Dir(exe), 0o700), os.MkdirAll(l.Tools(), 0o700), os.MkdirAll(l.Agent(), 0o700),
		os.WriteFile(exe, []byte("the old jujud"), 0o755))
	check(t, l.Adopt(exe, old), l.Switch(old))
	return l
}

func check(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// pack makes an archive of a version.
func pack(name, content string) (tools.Tools, []byte, error) {
	v, err := version.ParseBinary(name)
	if err != nil {
		return tools.Tools{}, nil, err
	}
	var b bytes.Buffer
	err = archive.Pack(&b, archive.File{Name: archive.Jujud, Size: int64(len(content)), Body: strings.NewReader(content)})
	sum := sha256.Sum256(b.Bytes())
	return tools.Tools{Version: v, Size: int64(b.Len()), SHA256: hex.EncodeToString(sum[:])}, b.Bytes(), err
}

// download puts an archive where a finished download lies, and describes it.
func download(t *testing.T, l install.Layout, content string, break_ func([]byte) []byte) tools.Tools {
	t.Helper()
	to, data, err := pack(newer, content)
	check(t, err)
	d, err := l.Download(to)
	check(t, err)
	if d.Have != 0 {
		t.Fatalf("%d bytes are there already", d.Have)
	}
	if break_ != nil {
		data = break_(bytes.Clone(data))
	}
	_, err = d.Write(data)
	check(t, err, d.Close())
	return to
}

func wantLink(t *testing.T, l install.Layout, want string) {
	t.Helper()
	got, err := l.Current()
	if err != nil || got != want {
		t.Fatalf("the link points to %q, %v; want %s", got, err, want)
	}
	if _, err := l.Verify(got); err != nil {
		t.Fatal(err)
	}
}

func TestStageSwitchCollect(t *testing.T) {
	l := installed(t)
	to := download(t, l, "the new jujud", nil)
	check(t, l.Stage(to, old), l.Stage(to, old))
	wantLink(t, l, old)
	check(t, l.Switch(newer))
	wantLink(t, l, newer)
	check(t, l.CollectGarbage(old))
	wantLink(t, l, newer)
	check(t, l.CollectGarbage())
	if _, err := os.Stat(l.Version(old)); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a version that nothing names is still there: %v", err)
	}
	if _, err := os.Stat(l.Staging()); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the staging directory is still there: %v", err)
	}
}

func TestADownloadIsTakenUpWhereItStopped(t *testing.T) {
	l := installed(t)
	var all []byte
	to := download(t, l, "the new jujud", func(b []byte) []byte { all = b; return b[:10] })
	d, err := l.Download(to)
	check(t, err)
	if d.Have != 10 {
		t.Fatalf("%d bytes are there, want 10", d.Have)
	}
	_, err = d.Write(all[10:])
	check(t, err, d.Close(), l.Stage(to), l.Switch(newer))
	wantLink(t, l, newer)
}

// A power cut can leave a download of the right length with the wrong bytes in it.
func TestADownloadWhoseBeginningIsDamagedBeginsAnew(t *testing.T) {
	l := installed(t)
	var all []byte
	to := download(t, l, "the new jujud", func(b []byte) []byte { all = bytes.Clone(b); return make([]byte, 10) })
	d, err := l.Download(to)
	check(t, err)
	_, err = d.Write(all[d.Have:])
	check(t, err)
	if err := d.Close(); !errors.Is(err, install.ErrDigest) {
		t.Fatalf("close: %v, want ErrDigest", err)
	}
	d, err = l.Download(to)
	check(t, err)
	if d.Have != 0 {
		t.Fatalf("%d bytes of the damaged file are still there", d.Have)
	}
	_, err = d.Write(all)
	check(t, err, d.Close(), l.Stage(to))
}

func TestBadDownloadsChangeNothing(t *testing.T) {
	for name, c := range map[string]struct {
		break_ func([]byte) []byte
		want   error
	}{
		"cut short":       {func(b []byte) []byte { return b[:len(b)-1] }, install.ErrSize},
		"too long":        {func(b []byte) []byte { return append(b, 0) }, install.ErrSize},
		"one bit flipped": {func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, install.ErrDigest},
		"empty":           {func([]byte) []byte { return nil }, install.ErrSize},
	} {
		t.Run(name, func(t *testing.T) {
			l := installed(t)
			to := download(t, l, "the new jujud", nil)
			part := filepath.Join(l.Staging(), to.SHA256+".part") // what was whole is damaged on disk
			b, err := os.ReadFile(part)
			check(t, err, os.WriteFile(part, c.break_(b), 0o600))
			if err := l.Stage(to, old); !errors.Is(err, c.want) {
				t.Fatalf("stage: %v, want %v", err, c.want)
			}
			if err := l.Switch(newer); !errors.Is(err, install.ErrIncomplete) {
				t.Fatalf("switch: %v, want ErrIncomplete", err)
			}
			wantLink(t, l, old)
		})
	}
}

func TestAVersionInUseIsNotOverwritten(t *testing.T) {
	l := installed(t)
	check(t, l.Stage(download(t, l, "the new jujud", nil), old), l.Switch(newer))
	other := download(t, l, "another build of the same number", nil)
	if err := l.Stage(other, newer); !errors.Is(err, install.ErrConflict) {
		t.Fatalf("stage: %v, want ErrConflict", err)
	}
	wantLink(t, l, newer)
}

func TestADamagedVersionIsNotRun(t *testing.T) {
	for name, damage := range map[string]func(l install.Layout) error{
		"file changed": func(l install.Layout) error {
			return os.WriteFile(filepath.Join(l.Version(newer), "jujud"), []byte("x"), 0o755)
		},
		"file gone":   func(l install.Layout) error { return os.Remove(filepath.Join(l.Version(newer), "jujud")) },
		"marker gone": func(l install.Layout) error { return os.Remove(filepath.Join(l.Version(newer), ".complete")) },
		"marker garbage": func(l install.Layout) error {
			return os.WriteFile(filepath.Join(l.Version(newer), ".complete"), []byte("{"), 0o600)
		},
		"all gone": func(l install.Layout) error { return os.RemoveAll(l.Version(newer)) },
	} {
		t.Run(name, func(t *testing.T) {
			l := installed(t)
			check(t, l.Stage(download(t, l, "the new jujud", nil), old), damage(l))
			if err := l.Switch(newer); !errors.Is(err, install.ErrIncomplete) {
				t.Fatalf("switch: %v, want ErrIncomplete", err)
			}
			wantLink(t, l, old)
		})
	}
}

func TestTheJournalIsWholeOrRefused(t *testing.T) {
	l := installed(t)
	want := install.Journal{Phase: install.PhaseTrial, Good: old, Seq: 7, Trial: &install.Trial{Attempts: 2}, Denied: map[string]string{"d": "why"}}
	check(t, l.WriteJournal(want))
	got, err := l.ReadJournal()
	if err != nil || got.Phase != want.Phase || got.Seq != 7 || got.Trial.Attempts != 2 || got.Denied["d"] != "why" {
		t.Fatalf("read back %+v, %v", got, err)
	}
	b, err := os.ReadFile(l.JournalFile())
	check(t, err)
	for name, bad := range map[string][]byte{
		"cut":      b[:len(b)/2],
		"bit flip": bytes.Replace(b, []byte(`"seq":7`), []byte(`"seq":8`), 1),
		"empty":    {},
		"newer":    []byte(`{"crc32":0,"journal":{"schema":99}}`),
	} {
		check(t, os.WriteFile(l.JournalFile(), bad, 0o600))
		if j, err := l.ReadJournal(); !errors.Is(err, install.ErrJournal) {
			t.Errorf("%s: read %+v, %v; want ErrJournal", name, j, err)
		}
	}
}

func TestALinkThatLeadsElsewhereIsNotFollowed(t *testing.T) {
	for _, target := range []string{"/bin", "/", "../../etc", "..", "."} {
		l := installed(t)
		check(t, os.Remove(l.Link()), os.Symlink(target, l.Link()))
		if got, err := l.Current(); err == nil {
			t.Errorf("a link to %s gave version %q", target, got)
		}
	}
	l := installed(t)
	check(t, os.Remove(l.Link()), os.WriteFile(l.Link(), nil, 0o600))
	if got, err := l.Current(); err == nil {
		t.Errorf("a file in the link's place gave version %q", got)
	}
}
