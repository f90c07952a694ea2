package statesrv

import (
	"fmt"
	"sync/atomic"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// bringers are the operators who may bring tools, by their keys. The writer's goroutine notes them; anybody
// may ask, and does not wait.
type bringers struct {
	now atomic.Pointer[bringersAt]
}

// bringersAt are the bringers since one publication. It is never changed.
type bringersAt struct {
	seq  uint64 // of the publication in the log
	keys map[string]bool
}

// note takes over the roster, if another one was published. The writer calls it after each commit.
func (b *bringers) note(s *projections.State) {
	if now := b.now.Load(); now != nil && now.seq == s.Trust.Seq && s.Trust.Seq > 0 {
		return
	}
	next := &bringersAt{seq: s.Trust.Seq, keys: map[string]bool{}}
	for _, o := range s.Trust.Roster.Operators {
		next.keys[o.Key] = mayPublish(o)
	}
	b.now.Store(next)
}

// may says why the operator with that key may not bring tools; nil: he may. An empty key is one that NATS
// does not tell, as where its accounts are of an older version: then the request that announced the
// archive must do, which is judged by the same role.
func (b *bringers) may(key string) error {
	if key == "" || b.now.Load().keys[key] {
		return nil
	}
	return fmt.Errorf("%w: only operators with the role %s or %s may bring tools", bus.ErrDenied, events.RoleRelease, events.RoleAdmin)
}
