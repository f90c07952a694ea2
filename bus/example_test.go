package bus_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events/wire"
)

// A client asks a question, and a state server answers it. Both are connected to the NATS of
// this process, each with the credentials of its role.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "jujube-example-")
	check(err)
	defer func() { _ = os.RemoveAll(dir) }()
	accounts, err := server.NewAccounts("11111111-2222-3333-4444-555555555555")
	check(err)
	nats, err := server.Start(server.Config{Accounts: accounts, StoreDir: dir, Local: true})
	check(err)
	defer nats.Close()

	connect := func(sign func(name, key string) (string, error), name string) *bus.Conn {
		id, err := bus.NewIdentity()
		check(err)
		token, err := sign(name, id.Public())
		check(err)
		conn, err := bus.Connect(ctx, bus.ConnConfig{Server: nats, Credentials: bus.Credentials{JWT: token, Seed: string(id.Seed())}})
		check(err)
		return conn
	}
	stateServer := connect(accounts.StateServerJWT, "state-server-0")
	defer stateServer.Close()
	alice := connect(accounts.OperatorJWT, "alice")
	defer alice.Close()

	soon, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	_, err = wire.Digest.Ask(soon, alice, wire.Nothing{}) // asks again until the deadline
	fmt.Println("nobody answers:", errors.Is(err, bus.ErrNoStateServer))

	digest := wire.Digest.AnsweredBy(func(context.Context, wire.Nothing) (wire.Position, error) {
		return wire.Position{Seq: 42, Digest: "8f1c"}, nil
	})
	stop, err := stateServer.ServeQueries(func(q bus.Query) { q.Answer(digest.Answer(ctx, q.Body)) })
	check(err)
	defer stop()
	position, err := wire.Digest.Ask(ctx, alice, wire.Nothing{})
	fmt.Println(position.Seq, position.Digest, err)
	// Output:
	// nobody answers: true
	// 42 8f1c <nil>
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
