package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

const environment = "11111111-2222-3333-4444-555555555555"

var oldVersion = version.Binary{Number: must(version.Parse("1.24.0")), Series: "genericlinux", Arch: "amd64"}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// place is a running NATS server with its accounts, and one connection to it.
type place struct {
	accounts *server.Accounts
	nats     *server.Server
	conn     *bus.Conn // with a state server's rights
	pinned   string    // file with the certificate of the authority
}

func startBus(ctx context.Context, dir string) (*place, error) {
	accounts, err := server.NewAccounts(environment)
	if err != nil {
		return nil, err
	}
	p := &place{accounts: accounts, pinned: filepath.Join(dir, "ca.pem")}
	if err := errors.Join(os.MkdirAll(dir, 0o700), bus.PinAuthorities(p.pinned, accounts.Certificates())); err != nil {
		return nil, err
	}
	if p.nats, err = server.Start(server.Config{StoreDir: dir, Accounts: accounts}); err != nil {
		return nil, err
	}
	p.conn, err = p.connect(ctx, func(key string) (string, error) { return accounts.StateServerJWT("state-server-0", key) }, p.nats)
	if err == nil {
		err = server.Provision(ctx, p.conn, 1)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *place) close() {
	if p.conn != nil {
		p.conn.Close()
	}
	p.nats.Close()
}

// connect connects with the role that sign gives. If nats is set, it connects within the process.
func (p *place) connect(ctx context.Context, sign func(key string) (string, error), nats bus.InProcess) (*bus.Conn, error) {
	creds, err := credentials(sign)
	if err != nil {
		return nil, err
	}
	return bus.Connect(ctx, bus.ConnConfig{URLs: []string{p.nats.URL()}, Authorities: p.pinned, Server: nats, Credentials: creds, ReportEvery: time.Nanosecond})
}

func credentials(sign func(key string) (string, error)) (bus.Credentials, error) {
	id, err := bus.NewIdentity()
	if err != nil {
		return bus.Credentials{}, err
	}
	token, err := sign(id.Public())
	return bus.Credentials{JWT: token, Seed: string(id.Seed())}, err
}

func (p *place) agent(ctx context.Context, machine int) (*bus.Conn, error) {
	tag := events.MachineTag(fmt.Sprint(machine))
	return p.connect(ctx, func(key string) (string, error) { return p.accounts.AgentJWT(tag, key) }, nil)
}

// record makes a record of an actor.
func record(actor string, payload events.Payload) events.Record {
	return must(events.New(events.Envelope{ID: newID(), Time: time.Now().UTC(), Actor: actor}, payload))
}

// signed signs a record as its machine does.
func signed(by events.Signer, rec events.Record) events.Record { return must(rec.Signed(by)) }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// created is the first record of a log.
func created() events.Record {
	operators := []events.Operator{{Name: "bench", Key: "UBENCH"}}
	return record("state-server-0", &events.EnvironmentCreated{UUID: environment, Name: "bench", AgentVersion: oldVersion.Number, Operators: operators})
}

// enrolled makes the records of n machines, from the number first on, each with its key.
func enrolled(first, n int, key func(i int) string) []events.Record {
	recs := make([]events.Record, n)
	for i := range recs {
		id := fmt.Sprint(first + i)
		recs[i] = record("state-server-0", &events.MachineEnrolled{Machine: id, Key: key(first + i), Hostname: "host-" + id, Version: oldVersion})
	}
	return recs
}

// started is report number n of a machine.
func started(machine, n int) *events.AgentStarted {
	id := fmt.Sprint(machine)
	return &events.AgentStarted{
		ReportHead: events.ReportHead{Machine: id, Epoch: "epoch-" + id, N: uint64(n)}, Version: oldVersion, PID: 4711, Restart: n,
	}
}

// fill appends records to the log, as many in one batch as the log takes.
func fill(ctx context.Context, log events.Log, recs []events.Record) error {
	last, err := log.Last(ctx)
	for err == nil && len(recs) > 0 {
		n := min(len(recs), events.MaxBatch)
		last, err = log.Append(ctx, last, recs[:n]...)
		recs = recs[n:]
	}
	return err
}
