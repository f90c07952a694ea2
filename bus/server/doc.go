// Package server is the state server's side of the bus: the NATS server that runs within its
// process, the accounts of an environment with the keys that sign users into them, the
// certificate authority, and the streams.
//
// Three words, all of them NATS's:
//
//   - an account is a wall: a user sees the subjects of his own account, and what that
//     account imports from another one (exports.go);
//   - a scoped signing key signs users into an account with one fixed set of permissions, a
//     role (roles.go): whoever has the key of the role of machines can make machines, and
//     nothing else;
//   - the NATS operator signs the accounts. He is not one of the environment's operators, who
//     are people.
//
// Use, in the process of a state server:
//
//	accounts, err := server.LoadAccounts(file)
//	nats, err := server.Start(server.Config{StoreDir: dir, Accounts: accounts})
//	conn, err := bus.Connect(ctx, bus.ConnConfig{Server: nats, Credentials: creds})
//	err = server.Provision(ctx, conn, 1)
//
// A NATS that runs in a process of its own is configured by Accounts.NATSConfig, and serves
// the environment in the same way.
//
// Every commit to a stream is on disk before it is acknowledged (NATS's sync_interval:
// always), so that a crash loses nothing that a sender was told is stored.
//
// No client and no agent needs this package: what they need is package bus.
package server
