package agent

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// whoami says who runs, where, and what of the machine it can read. It says so in the directory
// in which it starts.
const whoami = `{ echo $(id -u) $(id -G) $HOME $(pwd); cat $D/../agents/*/workload.json $D/../agents/machine-3/units.json $D/../lock; } >said 2>/dev/null
mv said done; exec tail -f /dev/null`

// A workload runs as its service's own user, and can read nothing of the machine's.
func TestWorkloadsRunAsUsersOfTheirOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can run something as another user")
	}
	h := unitHost(t, events.RestartAlways, whoami)
	reachable(t, h.dir)
	ok(t, os.WriteFile(filepath.Join(h.dir, "lock"), []byte("secret"), 0o600))
	unit := func(name, user string) events.UnitSpec {
		u := specIn(h.dir)
		u.Unit, u.User = name, user
		return u
	}
	units := []events.UnitSpec{
		unit("web/0", events.UserOwn), unit("web/1", events.UserOwn), unit("db/0", events.UserOwn), unit("job/0", "nobody"), unit("old/0", ""),
	}
	b, err := json.Marshal(assignment{UnitsAssigned: events.UnitsAssigned{Machine: "3", Units: units}}.onDisk())
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(layoutIn(h.dir).Agent(), "units.json"), b, 0o600))
	p := h.agent()
	said := func(unit string) string {
		dir := filepath.Join(layoutIn(h.dir).Unit(unit), homeName)
		if unit == "old/0" {
			dir = filepath.Dir(dir)
		}
		return strings.ReplaceAll(h.said(filepath.Join(dir, "done")), layoutIn(h.dir).Unit(unit), "UNIT")
	}
	web := said("web/0")
	var id int
	if _, err := fmt.Sscan(web, &id); err != nil || id < firstOwnUser || id > lastOwnUser {
		t.Fatalf("web/0 runs as %q", web)
	}
	if want := fmt.Sprintf("%d %d UNIT/home UNIT/home\n", id, id); web != want {
		t.Errorf("web/0 says %q, want %q", web, want)
	}
	if again := said("web/1"); again != web {
		t.Errorf("another unit of the service says %q", again)
	}
	var other int
	if _, err := fmt.Sscan(said("db/0"), &other); err != nil || other < firstOwnUser || other == id {
		t.Errorf("another service runs as user %d", other)
	}
	if nobody := said("job/0"); !strings.HasPrefix(nobody, "65534 65534") || strings.Contains(nobody, "secret") {
		t.Errorf("nobody says %q", nobody)
	}
	if old := said("old/0"); !strings.HasPrefix(old, "0 ") || !strings.Contains(old, "secret") {
		t.Errorf("a deployment of before says %q", old)
	}
	p.end("stop")

	next := &users{layout: layoutIn(h.dir)}
	if as, err := next.of(unit("web/7", events.UserOwn)); err != nil || as.uid != id {
		t.Errorf("the next agent runs web as %v, %v", as, err)
	}
}

// reachable lets other users come to a directory of a test.
func reachable(t *testing.T, dir string) {
	t.Helper()
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		ok(t, err)
		ok(t, os.Chmod(dir, info.Mode().Perm()|0o011))
	}
}

// said waits for a file and reads it.
func (h *guestHost) said(path string) string {
	h.t.Helper()
	for look, late := time.NewTicker(10*time.Millisecond), time.After(20*time.Second); ; {
		b, err := os.ReadFile(path)
		if err == nil {
			return string(b)
		}
		select {
		case <-look.C:
		case <-late:
			h.t.Fatalf("it says nothing: %v", err)
		}
	}
}

// A list of units on the disk shows an agent of before nothing that it would run as root.
func TestAnAgentOfBeforeDoesNotFindUnitsWithUsers(t *testing.T) {
	a := assignment{UnitsAssigned: events.UnitsAssigned{Machine: "3", Units: []events.UnitSpec{
		{Unit: "web/0", User: events.UserOwn}, {Unit: "old/0"}, {Unit: "db/0", Secrets: &events.Secrets{}},
	}}}
	b, err := json.Marshal(a.onDisk())
	ok(t, err)
	var before struct{ events.UnitsAssigned }
	ok(t, json.Unmarshal(b, &before))
	if len(before.Units) != 1 || before.Units[0].Unit != "old/0" {
		t.Errorf("it finds %+v", before.Units)
	}
	u := newUnits(layoutIn(t.TempDir()), version.Number{}, secrets{}, func(events.Report) {}, nil)
	ok(t, os.MkdirAll(u.layout.Agent(), 0o700))
	ok(t, os.WriteFile(u.file(), b, 0o600))
	read, err := u.read()
	if err != nil || len(read.Units) != 3 || len(read.WithUsers) != 0 {
		t.Errorf("read again: %+v, %v", read, err)
	}
}

// A unit that this machine cannot run is refused, with a code, and nothing of it is kept.
func TestUnitsThatAMachineCannotRun(t *testing.T) {
	me, err := bus.NewIdentity()
	ok(t, err)
	other, err := bus.NewIdentity()
	ok(t, err)
	const uuid = "6a1f0f5e-0000-4000-8000-000000000001"
	u := newUnits(layoutIn(t.TempDir()), version.Number{}, secrets{uuid, me}, func(events.Report) {}, nil)
	ok(t, os.MkdirAll(u.layout.Agent(), 0o700))
	spec := func(change func(*events.UnitSpec, *events.Ask)) events.UnitSpec {
		ask := events.Ask{ID: "q1", Environment: uuid, Action: events.ActionDeploy, Created: time.Now(), Expires: time.Now()}
		s := events.UnitSpec{Unit: "web/0", Machine: "3", Command: []string{"serve"}, Restart: events.RestartAlways}
		if change != nil {
			change(&s, &ask)
		}
		statement, err := json.Marshal(ask)
		ok(t, err)
		s.Warrant.Request, err = json.Marshal(events.Signed{Statement: statement, Key: "OPERATOR"})
		ok(t, err)
		return s
	}
	sealed := func(key, request, operator, text string) *events.Secrets {
		box, err := bus.Seal(key, events.SecretsOf(uuid, "3", request, operator), []byte(text))
		ok(t, err)
		return &events.Secrets{Names: []string{"TOKEN"}, Box: box}
	}
	with := func(s *events.Secrets) events.UnitSpec {
		return spec(func(u *events.UnitSpec, _ *events.Ask) { u.Secrets = s })
	}
	const text = `{"TOKEN":"hunter2"}   `
	for name, c := range map[string]struct {
		spec events.UnitSpec
		code string
	}{
		"nothing special":          {spec(nil), ""},
		"its own user":             {spec(func(u *events.UnitSpec, _ *events.Ask) { u.User = events.UserOwn }), ""},
		"a user that is not here":  {spec(func(u *events.UnitSpec, _ *events.Ask) { u.User = "nosuchuser" }), codeNoSuchUser},
		"sealed for it":            {with(sealed(me.Public(), "q1", "OPERATOR", text)), ""},
		"sealed for another":       {with(sealed(other.Public(), "q1", "OPERATOR", text)), codeSealedForOther},
		"copied out of a request":  {with(sealed(me.Public(), "q0", "OPERATOR", text)), codeSealedForOther},
		"copied by another person": {with(sealed(me.Public(), "q1", "MALLORY", text)), codeSealedForOther},
		"other names than signed":  {with(sealed(me.Public(), "q1", "OPERATOR", `{"LD_PRELOAD":"x"}`)), codeSealedForOther},
		"nothing readable":         {with(sealed(me.Public(), "q1", "OPERATOR", `{`)), codeSealedForOther},
	} {
		if err := u.canRun(c.spec); events.CodeOf(err) != c.code || (err == nil) != (c.code == "") {
			t.Errorf("%s: %v, want %q", name, err, c.code)
		}
	}
	err = filepath.WalkDir(u.layout.Dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if b, err := os.ReadFile(path); err != nil || strings.Contains(string(b), "hunter2") {
				t.Errorf("%s: %q, %v", path, b, err)
			}
		}
		return err
	})
	ok(t, err)
}

// Workloads are known by this text over an upgrade of their agent: that of a deployment of before
// must stay the same, or it would be started anew.
func TestWorkloadsOfBeforeAreKnownAgain(t *testing.T) {
	got := commandText(events.UnitSpec{Unit: "web/0", Command: []string{"serve"}, Env: map[string]string{"A": "b"}})
	if want := `{"Command":["serve"],"Env":{"A":"b"}}`; got != want {
		t.Errorf("it is %s, was %s", got, want)
	}
}
