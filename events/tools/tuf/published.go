package tuf

import (
	"bytes"

	"github.com/jujube-project/jujube/events"
)

// Published is the fact that what is trusted was published, and lies in the object store as o. Who folds
// the log makes it again from the documents, and compares.
func (t Trusted) Published(o events.Object) events.TrustPublished {
	f := events.TrustPublished{Bundle: o, Version: t.Versions(), Timestamp: t.TimestampBytes(), Roster: t.Roster()}
	f.Fresh, _ = t.Expires()
	f.Expires = t.Holds()
	if floor := t.Floor(); !floor.IsZero() {
		f.Floor = &floor
	}
	if r := t.Revoked(); len(r.Keys)+len(r.Artefacts)+len(r.Requests) > 0 {
		f.Revoked = &r
	}
	f.Publishers = t.Publishers()
	return f
}

// Beyond is what a bundle has that t does not have, without the timestamp: for a reader who has t, and
// gets the timestamp in another way. The zero Trusted has nothing.
func (t Trusted) Beyond(b Bundle) Bundle {
	news := Bundle{Roots: b.Roots[min(int(t.root.Signed.Version), len(b.Roots)):], Snapshot: b.Snapshot}
	if !bytes.Equal(b.Targets, t.kept.Targets) {
		news.Targets, news.Files = b.Targets, b.Files
	}
	return news
}

// Complete adds to what Beyond gave the timestamp and what t has already.
func (t Trusted) Complete(news Bundle, timestamp []byte) Bundle {
	news.Timestamp = timestamp
	if len(news.Targets) == 0 {
		news.Targets, news.Files = t.kept.Targets, t.kept.Files
	}
	return news
}
