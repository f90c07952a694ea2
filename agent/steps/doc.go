// Package steps holds what a new version does once to a host that an older one has
// prepared: the upgrade steps of each release.
//
// A step must be idempotent: it is run again after any failure, after every crash, and on
// each later build of the same release. A step says which hosts it is for. It also says how it
// is undone, so that the machine can go back to the version before. A step without an Undo
// closes the way back: the journal says so, durably, before the step is taken.
//
// Source of the selection and of the targets: Juju 1.25. Juju's target databaseMaster does not
// exist here. The log is the only database, and package events brings old records to their
// newer form when they are read; no step on a host does that.
package steps
