package trust_test

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/wire"
)

// Case B09: a colleague hands over a draft that lets mallory in as admin and takes the root key away.
// juju trust sign reads that out and asks; nobody answers, so nothing is signed. --yes skips the
// question only, and a draft that cannot be read out is not signed at all.
func TestB09TrustSignShowsAndAsks(t *testing.T) {
	c := servers.NewClient(t)
	site := c.NewSite(nil)
	c.Answer(servers.Always(wire.Trust, wire.Raw(site.Marshal())))
	draft := func(changes ...func(*tuf.Repository) error) string {
		repo, err := tuf.OpenRepository(site)
		for _, change := range changes {
			if err == nil {
				err = change(repo)
			}
		}
		name := filepath.Join(t.TempDir(), "draft.json")
		if err == nil {
			err = os.WriteFile(name, repo.Bundle().Marshal(), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	expires := time.Now().Add(tuf.TargetsLife)
	mallory := func(r *tuf.Repository) error {
		content, err := r.Content()
		if err != nil {
			return err
		}
		roster := content.Said.Roster
		roster.Operators = append(roster.Operators, events.Operator{Name: "mallory", Key: "UMALLORY", Grants: []events.Grant{{Role: events.RoleAdmin}}})
		return r.SetJSON(expires, tuf.FileOperators, roster)
	}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	exchange := func(r *tuf.Repository) error {
		roles := r.Roles()
		roles.Root.Public = []ed25519.PublicKey{key}
		return r.SetRoles(roles, time.Now().Add(tuf.RootLife))
	}
	unknown := func(r *tuf.Repository) error { return r.SetFile(expires, "policy.json", []byte("{}")) }

	shown := []string{"+ operator mallory, key UMALLORY: admin", fmt.Sprintf("is exchanged for %x", key), "~ root version 2 (it was: 1)"}
	both := draft(mallory, exchange)
	code, said := c.Juju("trust sign "+both, "", nil)
	c.MustSay(code, clitest.Failed, said, append(shown, "Continue [y/N]?", "not signed", "Nothing was changed")...)
	// The new root lacks the other side's signature, so what this client has signed is kept as a draft.
	code, said = c.Juju("trust sign --yes "+both, "", nil)
	c.MustSay(code, clitest.Failed, said, append(shown, "others must sign, too", "the draft is kept")...)

	// That draft is part of whatever is signed next, so it is asked about again.
	code, said = c.Juju("trust revoke key UBOB", "", nil)
	c.MustSay(code, clitest.Failed, said, append(shown, "+ revoked key UBOB", "Continue [y/N]?", "not signed")...)
	code, said = c.Juju("trust sign --yes "+draft(unknown), "", nil)
	c.MustSay(code, clitest.Failed, said, "policy.json", events.CodeTUFUnknown, "Nothing was signed")
	code, said = c.Juju("trust sign --yes "+draft(), "", nil)
	c.MustSay(code, clitest.Failed, said, "older than what is published, or is that itself")
}
