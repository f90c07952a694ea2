package agent

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"

	"github.com/jujube-project/jujube/events/version"
)

func FuzzLoadConf(f *testing.F) {
	dir := f.TempDir()
	c := Conf{Tag: "machine-1", DataDir: dir, Environment: "e"}
	if err := c.Save(); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(c.Layout().Agent(), "agent.conf")
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := LoadConf(dir); err == nil && (c.Tag != "machine-1" || c.Environment == "") {
			t.Fatalf("another machine's: %+v", c)
		}
	})
}

// A damaged report does not hold up those behind it.
func FuzzOutbox(f *testing.F) {
	f.Add([]byte(`{"id":"x","kind":"agent.started/1","time":"2026-01-02T03:04:05Z","actor":"machine-1","data":{"machine":"1","epoch":"e","n":1}}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, "0000000000000001.rec"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		o, err := openOutbox(dir, "1", testkey.Of("machine-1"), time.Now, func() string { return "id" }, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		_ = o.waits("x")
		if _, err := o.flush(t.Context(), func(context.Context, events.Record) (Answer, error) { return Stored, nil }); err != nil {
			t.Fatal(err)
		}
	})
}

// What is noted of a unit's last run may be anything: PID 1 and groups are nobody's workload.
func FuzzReadWorkload(f *testing.F) {
	dir := f.TempDir()
	f.Add([]byte(`{"pid":2,"started_ticks":3,"boot_id":"b","command":"c"}`))
	f.Add([]byte(`{"pid":-1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, workloadName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if w := readWorkload(dir); w != nil && w.PID <= 1 && w.Ended == nil {
			t.Fatalf("%s: PID %d would be signalled", b, w.PID)
		}
	})
}

// What was downloaded may be any file, and a program of another version may answer anything.
func FuzzCheckProgram(f *testing.F) {
	exe := filepath.Join(f.TempDir(), "jujud")
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Add([]byte(`{"version":"1.2.3-a-b"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(exe, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = checkProgram(exe, version.Binary{Arch: "amd64"})
		var c Check
		_ = json.Unmarshal(b, &c)
	})
}

// A damaged list of units is an error, and nothing of it runs.
func FuzzUnits(f *testing.F) {
	f.Add([]byte(`{"machine":"3","units":[{"unit":"web/0"}],"units_with_users":[{"unit":"db/0","user":"own user"}]}`))
	u := newUnits(layoutIn(f.TempDir()), version.Number{}, secrets{}, func(events.Report) {}, nil)
	if err := os.MkdirAll(u.layout.Agent(), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(u.file(), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if a, err := u.read(); err == nil && len(a.WithUsers) > 0 {
			t.Fatalf("units are left aside: %+v", a.WithUsers)
		}
	})
}

// as opens nothing: it gives the box as it is.
type as struct{}

func (as) Open(_, box []byte) ([]byte, error) { return box, nil }

// What was sealed has the names that were signed, or is refused.
func FuzzSecrets(f *testing.F) {
	request := []byte(`{"statement":"eyJpZCI6InExIiwiZW52aXJvbm1lbnQiOiJlIiwiYWN0aW9uIjoiZGVwbG95IiwiY3JlYXRlZCI6IjIwMjYtMDEtMDJUMDM6MDQ6MDVaIiwi` +
		`ZXhwaXJlcyI6IjIwMjYtMDEtMDJUMDM6MDQ6MDVaIn0=","key":"U","signature":""}`)
	f.Add([]byte(`{"TOKEN":"x"}   `))
	f.Add([]byte(`{"TOKEN":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		spec := events.UnitSpec{Unit: "web/0", Machine: "3", Secrets: &events.Secrets{Names: []string{"TOKEN"}, Box: b}, Warrant: events.Warrant{Request: request}}
		env, err := secrets{"e", as{}}.open(spec)
		if _, has := env["TOKEN"]; err == nil && (!has || len(env) != 1) {
			t.Fatalf("it has %v", env)
		}
		if err != nil && events.CodeOf(err) != codeSealedForOther {
			t.Fatal(err)
		}
	})
}

// Whatever lies in the file of services' users, a service runs as nobody else.
func FuzzOwnUsers(f *testing.F) {
	f.Add([]byte(`{"web":60578}`))
	f.Add([]byte(`{"web":0}`))
	f.Add([]byte(`{"db":60578}`))
	u := &users{layout: layoutIn(f.TempDir())}
	if err := os.MkdirAll(u.layout.Agent(), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(u.file(), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if as, err := u.ownOf("web/0"); err == nil && (as.uid < firstOwnUser || as.uid > lastOwnUser || as.gid != as.uid) {
			t.Fatalf("web runs as %+v", as)
		}
	})
}
