package statesrv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/wire"
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
	h := sha256.New()
	n, err := s.tools.store.Fetch(ctx, string(digest), 0, h)
	return wire.Hashed{Size: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}
