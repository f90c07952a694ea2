// Package bus is how an environment talks: connections to NATS, the log, the requests, the
// reports, the orders, the queries and the object store of tools. No package outside of bus
// speaks NATS. What NATS itself runs with, its accounts, permissions and streams, is package
// bus/server.
//
// Three words:
//
//   - an account is a wall: state servers, operators, agents and hosts that ask to be
//     enrolled live in one each, and only what bus/server lists passes between them;
//   - an identity is an nkey pair; it proves who speaks, to NATS and to the far end;
//   - a subject is an address; all of them are in package names, on one screen.
//
// Use, by a state server:
//
//	conn, err := bus.Connect(ctx, bus.ConnConfig{Server: nats, Credentials: creds})
//	last, err := conn.Log().Append(ctx, expected, records...)
//
// After a crash everything that Append acknowledged is there: every commit is on disk
// before it is acknowledged.
package bus
