// Package steps holds what a new version does once to a host that an older one has
// prepared: the upgrade steps of each release.
//
// A step must be idempotent: it is run again after any failure, after every crash, and on
// each later build of the same release. It says which hosts it is for, and how it is
// undone, so that the machine can go back to the version before; a step without an Undo
// closes the way back, and the journal says so before it is taken.
//
// Source of the selection and of the targets: Juju 1.25. Its databaseMaster is left out:
// the log is the only database here, and its records are brought to a newer form when they
// are read (events), not by a step on a host.
package steps
