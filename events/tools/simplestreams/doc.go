// Package simplestreams reads and writes the metadata that lists tools, in the layout
// that Juju 1.25 publishes and reads: an index of streams, and one products file for
// each stream. It works on bytes; streams (in package statesrv) fetches and stores them.
//
//	tools/streams/v1/index2.json
//	tools/streams/v1/com.ubuntu.juju-released-tools.json
//	tools/released/juju-1.25.1-trusty-amd64.tgz
//
// Size and SHA-256 of every archive are mandatory. The fields "revoked", "floor" and
// "dead_end" of an item are additions: readers that do not know them read the rest.
package simplestreams
