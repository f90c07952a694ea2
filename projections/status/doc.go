// Package status shows the state of an environment to people and programs: the field
// names of Juju 1.25, and what Juju hid (the target of an upgrade, its progress, what
// blocks it, the last error).
//
// Make is a pure function of the folded log, so a status made by the state server, by a
// client from the log alone, or for any moment in the past is the same, byte for byte.
// Filter keeps what patterns name; Write renders any of the formats. What came from a
// host or a person is escaped: no text of theirs reaches a terminal as control
// characters.
package status
