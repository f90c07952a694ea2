// Package logcopy is a whole log as a file: jujud writes one of a log whose state server is
// down, and the client, which links no NATS server that could open the log itself, reads it.
//
// A copy is a JSON document for each record, byte for byte as it lies in the log, and one
// document at the end that says where the log ends. A copy without that end was cut off, and
// is refused. Missing records are in the copy as missing, so that whoever verifies the log
// finds the same in a copy as in the log.
package logcopy
