// Package tools describes archives of the server software, which Juju calls tools: their version,
// their size, their digest, and what publishers say of their versions (Marks).
//
// An archive is always named by its digest. Its version says what it should be, its digest what it
// is. The packages below read and write the archives themselves (archive), lists of them
// (simplestreams) and signed metadata about them (tuf). All of them work on bytes: other packages
// fetch and store.
package tools
