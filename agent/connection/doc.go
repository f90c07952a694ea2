// Package connection brings a machine onto its environment's bus, and keeps it there. It is
// what package agent, which knows no NATS, has in place of one.
//
//   - [Enrol] makes the host's key, shows a join token, and writes down what the host is
//     from then on.
//   - [Connection] is the bus as an agent.Agent wants it. It connects for as long as it
//     takes, and renews its credentials in time.
//   - [Renew] gets new credentials at once; [Reach] only tries whether the bus is there.
//
// The order on disk is the same everywhere: a secret is durable before it is used, and a
// question is durable before it is asked. A crash in between repeats the same question with
// the same secret, so that the state server takes it for the same host.
//
// The laws of this module allow package bus here, and in no other package of the agent.
package connection
