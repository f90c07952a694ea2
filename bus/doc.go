// Package bus is how an environment talks: NATS JetStream, embedded or external, its
// accounts and permissions, the log, the requests, the reports, the orders and the
// object store of tools. No other package speaks NATS.
//
// Three words:
//
//   - an account is a wall: state servers, operators, agents and hosts that ask to be
//     enrolled live in one each, and only what names.go lists passes between them;
//   - an identity is an nkey pair; it proves who speaks, to NATS and to the far end;
//   - a subject is an address; all of them are on the first screen of names.go.
//
// Use, by a state server:
//
//	srv, err := bus.StartServer(bus.ServerConfig{StoreDir: dir, Trust: trust})
//	conn, err := bus.Connect(ctx, bus.ConnConfig{Server: srv, Credentials: creds})
//	err = conn.Provision(ctx, 1)
//	last, err := conn.Log().Append(ctx, expected, records...)
//
// After a crash everything that Append acknowledged is there: every commit is on disk
// before it is acknowledged (sync_interval: always).
package bus
