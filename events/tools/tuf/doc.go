// Package tuf decides which tools, operators and floors are believed: The Update Framework
// (spec 1.0) over one container, the Bundle, that lies in trees of tools, travels through an
// air gap and is fetched by machines from the object store.
//
// Three words. A Bundle is the documents as somebody brings them, believed by nobody yet. An
// Anchor is the digest of a root document that a reader knows beforehand: from a join token
// or a setting. Trusted is what the reader has accepted so far; it only ever moves forward:
//
//	t, err := tuf.Begin(tuf.Anchor{SHA256: pinned}, bundle.Root(pinned))
//	t, err = t.Update(bundle, now)      // *events.Reason: t is what it was
//	err = t.Tools(ordered)              // may this archive run here?
//
// A Repository is the other side: it makes the documents, and whoever holds keys signs them.
//
// The package does no I/O, reads no clock and keeps no key. Signatures, roll backs and
// expiry are go-tuf's to judge, after checks of our own that refuse what a parser might
// choke on: sizes, depth, duplicate keys, numbers that are no integers, signatures by the
// hundred. Every call into go-tuf is behind recover: a panic is a refusal.
//
// Keys are ed25519. A key of another kind or length counts as not there. Delegations are
// not followed: what only a delegated role names is an unknown target.
//
// See docs/adr/0012-trusted-metadata.md.
package tuf
