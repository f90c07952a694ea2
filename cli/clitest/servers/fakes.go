package servers

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// place gives the address at which the clients of an environment look for it, and its accounts.
func place(ts *testscript.TestScript, name string) (*url.URL, *server.Accounts) {
	env, err := app.Store(ts.Getenv("JUJU_DATA")).Load(name)
	ts.Check(err)
	u, err := url.Parse(env.URLs[0])
	ts.Check(err)
	accounts, err := server.LoadAccounts(filepath.Join(ts.Getenv("JUJU_DATA"), "machines", name, "0", "server", "trust.json"))
	ts.Check(err)
	return u, accounts
}

// badserver ENVIRONMENT KIND starts a bad server at the address of a state server that was
// stopped. It ends the bad server that was started before; with KIND none it starts no other.
// The script fails if a client sent its CONNECT to a bad server.
func badServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: badserver ENVIRONMENT KIND")
	}
	f := stateOf(ts)
	if f.bad != nil {
		f.stopBad()
		if heard := f.bad.Heard(); bytes.Contains(heard, []byte("CONNECT")) {
			ts.Fatalf("the bad server was told %q", heard)
		}
		f.bad = nil
	}
	if args[1] == "none" {
		return
	}
	u, accounts := place(ts, args[0])
	bad, stop, err := bustest.NewBadServer(args[1], u.Host, accounts)
	ts.Check(err)
	f.bad, f.stopBad = bad, stop
	ts.Defer(stop)
}

// fakeenvironment ENVIRONMENT starts a NATS server at the address of a stopped environment. It
// has that environment's accounts and enrols whoever asks; only its certificate authority is
// another one.
func fakeEnvironment(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fakeenvironment ENVIRONMENT")
	}
	f := stateOf(ts)
	u, accounts := place(ts, args[0])
	var err error
	f.authority, err = server.NewAuthority(accounts.Environment, time.Now())
	ts.Check(err)
	accounts.Authorities = []server.Authority{f.authority}
	port, err := strconv.Atoi(u.Port())
	ts.Check(err)
	dir, err := os.MkdirTemp(ts.Getenv("WORK"), "fake")
	ts.Check(err)
	server, err := server.Start(server.Config{StoreDir: dir, Port: port, Accounts: accounts})
	ts.Check(err)
	ts.Defer(server.Close)
	id, err := bus.NewIdentity()
	ts.Check(err)
	token, err := accounts.StateServerJWT("fake", id.Public())
	ts.Check(err)
	conn, err := bus.Connect(context.Background(), bus.ConnConfig{Server: server, Credentials: bus.Credentials{JWT: token, Seed: string(id.Seed())}})
	ts.Check(err)
	ts.Defer(conn.Close)
	_, err = conn.ServeEnrol(func(r bus.Enrolment) {
		f.enrolled.Add(1)
		token, err := accounts.AgentJWT(events.MachineTag(r.Machine), r.Key)
		r.Answer(wire.Enrolled{Machine: r.Machine, Environment: r.Environment, JWT: token}, err)
	})
	ts.Check(err)
}

// fakeheard N fails unless the fake environment has enrolled N hosts.
func fakeHeard(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fakeheard N")
	}
	if got := strconv.FormatInt(stateOf(ts).enrolled.Load(), 10); got != args[0] {
		ts.Fatalf("the fake environment enrolled %s, not %s", got, args[0])
	}
}

// fakejoin FILE TO copies the join token in FILE to TO, and exchanges the certificates in it for
// those of the fake environment.
func fakeJoin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fakejoin FILE TO")
	}
	token, err := bus.ParseJoinToken(ts.ReadFile(args[0]))
	ts.Check(err)
	token.Authorities = stateOf(ts).authority.Certificate
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(token.String()), 0o600))
}
