// Package signing is what this client signs and believes of signed metadata (TUF, The Update
// Framework). It has two repositories, with different keys. The site's says what the machines
// of one environment may run; its keys lie in JUJU_DATA/trust/NAME. The vendor's is this
// client's own, with which it signs trees of tools; its keys lie in JUJU_DATA/vendor.
//
// Whether metadata is to be believed is decided by package events/tools/tuf, and which trees
// are by package streams. Here lie the keys, what was pinned and what was accepted before, and
// how a change of the site's metadata becomes a publication.
//
// The words: an anchor is the digest of a repository's first root, which is pinned once. A
// draft is a change that not enough people have signed yet. To publish is to hand a bundle to
// the state server and to ask for it in a signed request.
//
// After a crash a draft is whole or as it was before, and nothing is published that was not
// asked for.
package signing
