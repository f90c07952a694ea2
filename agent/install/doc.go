// Package install is what lies on a host's disk: the versions of the server software,
// the link that says which one runs, and the journal of an upgrade. Every change is
// atomic and durable: after a power cut at any moment the link resolves to a complete,
// verified version.
//
// Three words: a version is a directory below tools/ with jujud in it; its marker,
// written last, says that it is complete and what its files' digests are; the link
// tools/machine-N names the version that runs.
//
// Everything that this package does to a host's disk goes through one host.Disk. Tests put a
// disk in its place that loses power, or fails, at any call (package crashfs).
//
// The package knows no network. The launcher and the agent share it. They take turns at
// writing: see the phases of a Journal.
package install
