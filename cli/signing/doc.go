// Package signing is what this client signs and believes of signed metadata (TUF, The Update
// Framework). There are two sorts of repositories, with different keys. The site's says what the
// machines of one environment may run; its keys lie in JUJU_DATA/trust/NAME. The vendor's is
// this client's own, with which it signs trees of tools; its keys lie in JUJU_DATA/vendor.
//
// Package events/tools/tuf decides whether metadata is believed, and package streams which trees
// are. This package keeps the keys, what was pinned and what was accepted before, and it makes a
// publication of a change of the site's metadata.
//
// The words: an anchor is the digest of a repository's first root, which is pinned once. A
// draft is a change that not enough people have signed yet. To publish is to hand a bundle to
// the state server and to ask for it in a signed request.
//
// After a crash a draft is whole or as it was before, and nothing is published that was not
// asked for.
package signing
