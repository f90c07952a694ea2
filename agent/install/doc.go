// Package install is what lies on a host's disk: the versions of the server software,
// the link that says which one runs, and the journal of an upgrade. Every change is
// atomic and durable: after a power cut at any moment the link resolves to a complete,
// verified version.
//
// Three words: a version is a directory below tools/ with jujud in it; its marker,
// written last, says that it is complete and what its files' digests are; the link
// tools/machine-N names the version that runs.
//
// All that it does to a host goes through one Disk, so that tests can cut the power, or let
// it fail, at every call (package crashfs).
//
// It knows no network. The launcher and the agent share it.
package install
