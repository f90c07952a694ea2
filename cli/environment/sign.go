package environment

import (
	"cmp"
	"time"

	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	making "github.com/jujube-project/jujube/events/bootstrap"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// sign makes the environment's first signed metadata, and pins its root and the log key for
// this client. The client keeps the keys of root and targets; those of snapshot and timestamp
// are the state server's, which has made them.
func (b *bootstrap) sign(admin events.Operator, k making.Keys) (making.Signed, error) {
	repo := signing.SiteRepository(b.app.Store(), b.name)
	root, err := repo.Keys().Make(tuf.Root)
	if err != nil {
		return making.Signed{}, err
	}
	targets, err := repo.Keys().Make(tuf.Targets)
	if err != nil {
		return making.Signed{}, err
	}
	roster := events.Roster{Operators: []events.Operator{admin}, StateServers: []string{k.StateServer}, Logs: []string{k.Log}}
	publishers, err := b.publishers()
	if err != nil {
		return making.Signed{}, err
	}
	first, err := tuf.First(roster, &publishers, root.Private, targets.Private, tuf.Online{Snapshot: k.Snapshot, Timestamp: k.Timestamp}, time.Now())
	if err != nil {
		return making.Signed{}, err
	}
	if err := b.app.Store().PinLogKey(b.name, k.Log); err != nil {
		return making.Signed{}, err
	}
	return making.Signed{Bundle: first.Bundle().Marshal()}, repo.Pin(first.Anchor())
}

// publishers are those that the environment begins with: this client, and the source that was typed.
func (b *bootstrap) publishers() (events.Publishers, error) {
	vendor, err := signing.Vendor(b.app.Store())
	if err != nil {
		return events.Publishers{}, err
	}
	p := events.Publishers{Signers: []string{vendor.Anchor()}}
	if source := cmp.Or(b.source, settings.PublicSource); source != settings.NoSource {
		p.Sources = []string{source}
	}
	return p, nil
}

// sayTrust tells what was made of trust, and how to make more of it.
func (b *bootstrap) sayTrust() {
	b.app.Say("Machines run what this client signs: its keys are in %s. To let two of three people sign: juju help trust",
		signing.SiteRepository(b.app.Store(), b.name).Keys())
}
