package inspect

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections/scenario"
	"github.com/jujube-project/jujube/statesrv"
)

func TestParseMoment(t *testing.T) {
	now := time.Date(2015, 6, 1, 15, 30, 0, 0, time.FixedZone("", 7200))
	for text, want := range map[string]string{
		"2015-06-01T12:00:00Z": "2015-06-01T12:00:00Z",
		"2015-06-01 12:00":     "2015-06-01T10:00:00Z",
		"2015-06-01 12:00:30":  "2015-06-01T10:00:30Z",
		"2015-06-01":           "2015-05-31T22:00:00Z",
		"12:00":                "2015-06-01T10:00:00Z",
		"12:00:01":             "2015-06-01T10:00:01Z",
		"15m":                  "2015-06-01T13:15:00Z",
	} {
		m, err := parseMoment(text, now)
		if got := m.time.UTC().Format(time.RFC3339); err != nil || got != want {
			t.Errorf("%q is %s, %v; want %s", text, got, err, want)
		}
	}
	if m, err := parseMoment("120", now); err != nil || m.seq != 120 {
		t.Errorf("120 is %+v, %v", m, err)
	}
	for _, text := range []string{"", "0", "-5", "noon", "-15m", "2015-13-01"} {
		if m, err := parseMoment(text, now); err == nil {
			t.Errorf("%q is %+v", text, m)
		}
	}
}

func TestFoldLogStopsAtTheMoment(t *testing.T) {
	log := memlog.New()
	recs := scenario.New().Lines("env demo 1.24.0\nset a 1\nlater 1h\nset a 2\nset a 3").Records
	if _, err := log.Append(t.Context(), 0, recs...); err != nil {
		t.Fatal(err)
	}
	for want, at := range map[string]moment{
		"":  {seq: 1},
		"1": {time: recs[1].Time.Add(time.Minute)},
		"2": {seq: 3},
		"3": {},
	} {
		s, err := foldLog(t.Context(), log, "", at)
		if err != nil || s.Settings["a"] != want {
			t.Errorf("at %+v a is %q, %v; want %q", at, s.Settings["a"], err, want)
		}
	}
	if _, err := foldLog(t.Context(), log, "", moment{seq: 5}); err == nil || !strings.Contains(err.Error(), "ends at 4") {
		t.Errorf("behind the end: %v", err)
	}
}

// deadEnvironment leaves the data directory of a state server that has stopped.
func deadEnvironment(t *testing.T, recs []events.Record) string {
	t.Helper()
	dir := t.TempDir()
	store := filepath.Join(dir, "server", "jetstream")
	if err := os.MkdirAll(store, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	accounts, err := server.NewAccounts("5c1e3f5c-0000-4000-8000-000000000001")
	if err != nil {
		t.Fatal(err)
	}
	if err := accounts.Save(filepath.Join(dir, "server", "trust.json")); err != nil {
		t.Fatal(err)
	}
	nats, err := server.Start(server.Config{StoreDir: store, Local: true, Accounts: accounts})
	if err != nil {
		t.Fatal(err)
	}
	defer nats.Close()
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	token, err := accounts.StateServerJWT("state-server-0", id.Public())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := bus.Connect(t.Context(), bus.ConnConfig{
		Server: nats, Credentials: bus.Credentials{JWT: token, Seed: string(id.Seed())},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := server.Provision(t.Context(), conn, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Log().Append(t.Context(), 0, recs...); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOfflineLogReadsACopyOfADeadEnvironment(t *testing.T) {
	recs := scenario.New().Lines("env demo 1.24.0\nset a 1\nenrol 0 1.24.0").Records
	dir := deadEnvironment(t, recs)
	log, closeLog, err := statesrv.OpenOffline(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closeLog()
	s, err := foldLog(t.Context(), log, "", moment{})
	if err != nil || s.Seq != 3 || s.Name != "demo" || s.Settings["a"] != "1" {
		t.Errorf("at %d of %q with %v: %v", s.Seq, s.Name, s.Settings, err)
	}
}

func TestOfflineLogLeavesARunningEnvironmentAlone(t *testing.T) {
	dir := deadEnvironment(t, scenario.New().Lines("env demo 1.24.0").Records)
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, _, err := statesrv.OpenOffline(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "is running") {
		t.Errorf("got %v", err)
	}
}

func TestOfflineLogOfADirectoryThatIsNone(t *testing.T) {
	if _, _, err := statesrv.OpenOffline(t.Context(), t.TempDir()); err == nil {
		t.Error("opened a log in an empty directory")
	}
}
