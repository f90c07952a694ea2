// Package trial is the launcher's judgement of versions, without any I/O: what to do
// before a start, and what to note after an end. The launcher does what it says, and so do
// simulated fleets.
//
// A trial begins when the agent writes it into the journal, and ends committed or rolled
// back. A version that was committed is guarded until it has lived for a while: if it
// crashes as often as a version on trial may, the one before it comes back.
package trial
