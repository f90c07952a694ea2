// Package agent is what runs on every machine: the machine agent, which follows the
// state server's orders and upgrades itself, and the unit agents, one for each unit of
// the machine, in the same process.
//
// What an upgrade does next is decided by Step, a pure function; this package's shell
// does the effects: it downloads, stages, tests, switches and reports. The launcher
// (agent/launcher) judges a new version; agent/install is what lies on disk.
//
// After a crash at any moment the next process goes on from the journal. Every report
// is on disk before it is sent, and is sent until it is acknowledged.
package agent
