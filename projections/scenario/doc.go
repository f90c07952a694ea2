// Package scenario reads logs that are written as text, one fact on each line. Tests of everything that
// folds a log use it, and the scenario files are documentation too. Product code must not import it.
//
//	env demo 1.24.0          # environment.created
//	enrol 0 1.24.0 server    # machine.enrolled, a state server
//	start 0 1.24.0           # agent.started
//	later 5m                 # the next record is written five minutes later
//	? plan                   # a question to the test
//	| machine 0: …           # its answer, compared, or rewritten with -update
//
// Each record is written one second after the one before it, the first one at 2015-06-01 12:00:01 UTC.
// The table in verbs.go has every word.
package scenario
