package tuf_test

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// An operator signs the root and the targets, the state server what holds for a short time.
// Whoever knows the root by its digest believes the rest from its signatures.
func ExampleOpen() {
	now := time.Date(2015, 9, 15, 12, 0, 0, 0, time.UTC)
	root, targets, server := key("root"), key("targets"), key("state server")
	public := server.Public().(ed25519.PublicKey)
	roster := events.Roster{Operators: []events.Operator{{Name: "ann", Key: "UANN", Grants: []events.Grant{{Role: events.RoleAdmin}}}}}
	repo, err := tuf.First(roster, nil, root, targets, tuf.Online{Snapshot: public, Timestamp: public}, now)
	if err != nil {
		panic(err)
	}
	if err := repo.Freshen(now, tuf.DefaultLives, server); err != nil {
		panic(err)
	}

	trusted, err := tuf.Open(repo.Anchor(), repo.Bundle(), now)
	fmt.Println(trusted.Roster().Operators[0].Name, err)
	// A bundle of somebody else begins at another root.
	_, err = tuf.Open(tuf.AnchorOf([]byte("another root")), repo.Bundle(), now)
	fmt.Println(events.CodeOf(err))
	// Output:
	// ann <nil>
	// tuf-anchor
}
