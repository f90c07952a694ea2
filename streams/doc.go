// Package streams reads and makes trees of tools: archives of the server software with the
// metadata that lists them, in a directory or behind http(s). The form is simplestreams, as
// Juju 1.25 had it. Client and state server both read trees; publishers make them.
//
// The words: a tree has a tools directory. A stream (released, proposed, devel, testing) is a
// list of archives in it. A Source is a tree that is read. Trust says whose signatures a
// reader believes; a Signer makes them.
//
// A Source checks the metadata, and that an archive has the length that is listed. It does not
// hash the archive's bytes: whoever fetches them compares their SHA-256 with what is listed.
// Every error of a source wraps ErrSource. After a crash of Generate the tree is as it was
// before, with some more archives in it; the same command again ends the work.
package streams
