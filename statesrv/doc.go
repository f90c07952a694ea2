// Package statesrv is the state server: the only writer of the log. It takes requests,
// reports and enrolments, decides on them against the fold of the log, appends what it
// decided, and only then answers.
//
// Four verbs in four places: decide (package decide, pure) → record (package writer) → fold
// (package projections) → do (this package). A conflict at the log means that another state
// server leads: this one steps down.
//
// After a crash nothing that was answered is lost and nothing is decided twice: the log
// says how far REQUESTS was judged and which reports were seen.
package statesrv
