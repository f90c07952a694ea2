// Package simplestreams reads and writes the metadata that lists tools, in the layout that Juju 1.25
// publishes and reads: an index of streams, and one products file for each stream. It works on bytes;
// package streams fetches and stores them.
//
//	tools/streams/v1/index2.json
//	tools/streams/v1/com.ubuntu.juju-released-tools.json
//	tools/released/juju-1.25.1-trusty-amd64.tgz
//
// Each archive must have a size and a SHA-256. The fields "revoked", "floor" and "dead_end" of an item
// are additions to the format: readers that do not know them read the rest.
//
// Nothing that is read here is trusted: package tuf decides that.
package simplestreams
