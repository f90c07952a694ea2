// Package trial is how the launcher judges versions, without any I/O. Decide says what to do
// before a start, and Ended what to write into the journal after a run. The launcher does what
// this package says, and so do simulated fleets.
//
// A trial begins when the agent writes it into the journal, and ends committed or rolled
// back. A version that was committed is guarded until it has run for a while: if it crashes as
// often as a version on trial may, the version before it comes back.
package trial
