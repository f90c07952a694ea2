package statesrv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/streams"
)

// answerObjects lists the objects of the store, whatever the log says of them.
func (s *queries) answerObjects(ctx context.Context, _ wire.Nothing) ([]wire.Object, error) {
	return s.tools.store.List(ctx)
}

// answerHash reads a whole object and hashes it. So an operator can check an object without the right to
// read the store.
func (s *queries) answerHash(ctx context.Context, digest wire.Text) (wire.Hashed, error) {
	if !tools.IsDigest(string(digest)) {
		return wire.Hashed{}, fmt.Errorf("%q is no sha256", digest)
	}
	s.hashing.Lock() // one at a time: hashing takes a whole processor and the disk
	defer s.hashing.Unlock()
	var list []tools.Tools
	err := s.writer.Look(ctx, func(st *projections.State) {
		for _, t := range st.Tools {
			if t.SHA256 == string(digest) {
				list = append(list, t.Tools)
			}
		}
	})
	if err != nil {
		return wire.Hashed{}, err
	}
	return hashed(list, func(w io.Writer) (int64, error) { return s.tools.store.Fetch(ctx, string(digest), 0, w) })
}

// hashed hashes what fetch writes, and checks that it is each of the archives of the list.
func hashed(list []tools.Tools, fetch func(io.Writer) (int64, error)) (wire.Hashed, error) {
	h := sha256.New()
	into := []io.Writer{h}
	checks := make([]*streams.Inspection, 0, len(list))
	for _, t := range list {
		checks = append(checks, streams.Inspect(t.Version, t.Size))
		into = append(into, &untilBad{w: checks[len(checks)-1]})
	}
	n, err := fetch(io.MultiWriter(into...))
	r := wire.Hashed{Size: n, SHA256: hex.EncodeToString(h.Sum(nil))}
	for _, c := range checks {
		if bad := c.Close(); bad != nil && err == nil {
			r.Fault = bad.Error()
		}
	}
	return r, err
}

// untilBad writes until what it writes to has found a fault, and then drops the rest.
type untilBad struct {
	w   io.Writer
	bad bool
}

func (u *untilBad) Write(p []byte) (int, error) {
	if !u.bad {
		_, err := u.w.Write(p)
		u.bad = err != nil
	}
	return len(p), nil
}
