package statesrv

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/wire"
)

// answerObjects lists the objects of the store, whatever the log says of them.
func (t *term) answerObjects(q bus.Query) {
	list, err := t.tools.store.List(t.ctx)
	b, jsonErr := json.Marshal(list)
	q.Answer(b, errors.Join(err, jsonErr))
}

// answerHash reads an object whole and hashes it: an operator needs no right to read the
// store to know that it is as it should be. The body is the object's digest.
func (t *term) answerHash(q bus.Query) {
	digest := string(q.Body)
	if !tools.IsDigest(digest) {
		q.Answer(nil, fmt.Errorf("%q is no sha256", digest))
		return
	}
	t.hashing.Lock() // each reads as fast as it can
	defer t.hashing.Unlock()
	h := sha256.New()
	n, err := t.tools.store.Fetch(t.ctx, digest, 0, h)
	b, jsonErr := json.Marshal(wire.Hashed{Size: n, SHA256: hex.EncodeToString(h.Sum(nil))})
	q.Answer(b, errors.Join(err, jsonErr))
}
