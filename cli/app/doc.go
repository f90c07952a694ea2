// Package app is what every command of juju has in common, whatever it does: the streams
// and flags of this run, what is said to the person and how an error is explained, and the
// store, the directory in which this client notes the environments that it knows.
//
// It asks nobody anything: package session talks to an environment. It knows no command:
// those are in the packages of the families beside it.
//
// The words: an App is one run of juju. The Store is the directory $JUJU_DATA. An
// Environment is what the store notes of one environment.
//
// A command ends with one of three sorts of errors. Usage makes one for a command line that
// is wrong (exit code 2). Fail adds to any error what was not changed and what to type next.
// Refused carries every reason for which a state server refused a request.
package app
