package servers

import (
	"context"
	"crypto/ed25519"
	"time"

	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/wire"
)

// NewSite makes signed metadata of environment "prod" as bootstrap does: the client holds the keys of
// root and targets, and has pinned the root. Its operator is ann.
func (c *Client) NewSite(publishers *events.Publishers) tuf.Bundle {
	c.t.Helper()
	r := signing.SiteRepository(clitest.In(c.Data).Store(), "prod")
	root, err := r.Keys().Make(tuf.Root)
	if err != nil {
		c.t.Fatal(err)
	}
	targets, err := r.Keys().Make(tuf.Targets)
	if err != nil {
		c.t.Fatal(err)
	}
	public, online, err := ed25519.GenerateKey(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	roster := events.Roster{Operators: []events.Operator{{Name: "ann", Key: "UANN", Grants: []events.Grant{{Role: events.RoleAdmin}}}}}
	repo, err := tuf.First(roster, publishers, root.Private, targets.Private, tuf.Online{Snapshot: public, Timestamp: public}, time.Now())
	if err == nil {
		err = repo.Freshen(time.Now(), tuf.DefaultLives, online)
	}
	if err == nil {
		err = r.Pin(repo.Anchor())
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return repo.Bundle()
}

// Always answers a question in one way.
func Always[Q, A any](q wire.Question[Q, A], a A) wire.Answer {
	return q.AnsweredBy(func(context.Context, Q) (A, error) { return a, nil })
}
