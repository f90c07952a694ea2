package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/statesrv"
)

// makeSite makes the environment's signed metadata: this client keeps the keys of root and
// targets, machine 0 makes its own two where it runs, and gets what was signed.
func (b *bootstrap) makeSite(conf agent.Conf, roster events.Roster) error {
	repo := b.app.siteRepository(b.name)
	root, err := repo.keys().make(tuf.Root)
	if err != nil {
		return err
	}
	targets, err := repo.keys().make(tuf.Targets)
	if err != nil {
		return err
	}
	site, err := statesrv.NewSite()
	if err != nil {
		return err
	}
	first, err := tuf.First(roster, root.Private, targets.Private, site.Online(), time.Now())
	if err != nil {
		return err
	}
	site.Begin(first.Bundle())
	if err := site.Save(b.dataDir); err != nil {
		return fmt.Errorf("hand the site's metadata to machine 0: %w", err)
	}
	conf.TrustRoot = site.Anchor.SHA256 // machine 0 has no join token to pin it
	return errors.Join(conf.Save(), repo.pin(site.Anchor))
}

// sayTrust tells what was made of trust, and how to make more of it.
func (b *bootstrap) sayTrust() {
	b.app.Say("Machines run what this client signs: its keys are in %s. To let two of three people sign: juju help trust", b.app.siteRepository(b.name).keys())
}
