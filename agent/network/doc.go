// Package network is the network half of a machine's agent: a process of its own that holds the
// connection to the bus. An agent that runs as root starts it, as a user who may do nothing on
// the host. Whoever finds a hole in what reads from the network (TLS, NATS, JSON of questions and
// answers, chunks of archives) is that user, in a process that cannot write a file or execute a
// program.
//
// The agent is the half that acts. It has no connection. Of what the network half hands over, it
// believes what it verifies itself, as it believed nothing before that came over the bus: the
// signatures of an order and of the metadata, and the digest of an archive, which it computes
// from its own file. It unpacks nothing whose digest release managers have not signed.
//
// The machine's key stays with the agent. The network half has signed by it what is needed to be
// let in, and nothing else (bus.IsForConnecting): it cannot speak for the machine.
//
// The agent speaks first, always: for each call it makes a pair of sockets and hands one of them
// over. So calls do not wait for each other, and a call ends when either side closes its socket.
// When the network half dies, all its calls fail, as they do when the network is gone, and
// another one is started.
//
// Where the agent is not root, or the host has no such user, nothing is gained, and the agent
// holds the connection itself, as the package agent/connection makes it.
package network
