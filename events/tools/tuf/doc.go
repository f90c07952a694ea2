// Package tuf decides which tools, operators and floors are believed. It is The Update Framework
// (spec 1.0) with one container for all documents, the Bundle: trees of tools hold one, it is copied
// through an air gap as one file, and machines fetch it from the object store.
//
// Three words:
//
//   - a Bundle is the documents as somebody brings them; nobody believes them yet;
//   - an Anchor is the digest of a root document that a reader knows beforehand, from a join token or
//     a setting;
//   - Trusted is what a reader has accepted so far. It never goes back to older documents.
//
// Use:
//
//	t, err := tuf.Begin(tuf.Anchor{SHA256: pinned}, bundle.Root(pinned))
//	t, err = t.Update(bundle, now)      // an error is an *events.Reason, and t is what it was
//	err = t.Tools(ordered)              // may this archive run here?
//
// A Repository is the other side: it makes the documents, and people and state servers sign them.
//
// The package does no I/O, reads no clock and keeps no key. go-tuf judges signatures, roll-backs and
// expiry. Before go-tuf sees a document, checks of our own refuse what a parser might fail on or
// read in two ways: sizes, depth, duplicate keys, numbers that are no integers, hundreds of
// signatures. Each call into go-tuf is behind recover, so that a panic is a refusal too.
//
// Keys are ed25519. A key of another kind or length counts as if it were not there. Delegations are not
// followed: a target that only a delegated role names is an unknown target.
//
// See docs/adr/0012-trusted-metadata.md.
package tuf
