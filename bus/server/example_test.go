package server_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events"
)

// A state server makes the accounts of a new environment, starts NATS in its own process,
// makes the streams, and appends the first record to the log.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "jujube-example-")
	check(err)
	defer func() { _ = os.RemoveAll(dir) }()

	accounts, err := server.NewAccounts("11111111-2222-3333-4444-555555555555")
	check(err)
	nats, err := server.Start(server.Config{Accounts: accounts, StoreDir: dir, Local: true})
	check(err)
	defer nats.Close()

	id, err := bus.NewIdentity()
	check(err)
	token, err := accounts.StateServerJWT("state-server-0", id.Public())
	check(err)
	conn, err := bus.Connect(ctx, bus.ConnConfig{Server: nats, Credentials: bus.Credentials{JWT: token, Seed: string(id.Seed())}})
	check(err)
	defer conn.Close()

	check(server.Provision(ctx, conn, 1))
	record, err := events.New(
		events.Envelope{ID: "record-1", Time: time.Now(), Actor: "state-server-0"},
		&events.SettingChanged{Key: "http-port", Value: "8080"})
	check(err)
	last, err := conn.Log().Append(ctx, 0, record)
	fmt.Println("the log ends at", last, err)

	_, err = conn.Log().Append(ctx, 0, record) // the log does not end at 0 any more
	fmt.Println("a conflict:", errors.Is(err, events.ErrConflict))
	// Output:
	// the log ends at 1 <nil>
	// a conflict: true
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
