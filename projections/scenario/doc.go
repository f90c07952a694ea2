// Package scenario reads logs that are written as text, one fact a line, for the tests
// of what folds them. The text is the documentation of what happens; product code does
// not import this package.
//
//	env demo 1.24.0          # environment.created
//	enrol 0 1.24.0 server    # machine.enrolled, a state server
//	start 0 1.24.0           # agent.started
//	later 5m                 # the next record is written five minutes later
//	? plan                   # a question to the test
//	| machine 0: …           # its answer, compared, or rewritten with -update
//
// Every record is written one second after the one before it, the first at
// 2015-06-01 12:00:01 UTC. See verbs.go for every word.
package scenario
