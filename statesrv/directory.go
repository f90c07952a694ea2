package statesrv

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events/bootstrap"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/host"
)

// Directory is the directory of a new environment's first state server: its keys and its
// credentials. It is made in memory; nothing of it is on disk before Save.
type Directory struct {
	Accounts *server.Accounts // signs the operator and machine 0 in

	site        *Site
	credentials bus.Credentials
	keys        bootstrap.Keys
	logKey      string // private
}

// NewDirectory makes all keys of the state server called name.
func NewDirectory(environment, name string) (*Directory, error) {
	d := &Directory{}
	var err error
	if d.Accounts, err = server.NewAccounts(environment); err != nil {
		return nil, err
	}
	id, err := bus.NewIdentity()
	if err != nil {
		return nil, err
	}
	token, err := d.Accounts.StateServerJWT(name, id.Public())
	if err != nil {
		return nil, err
	}
	d.credentials, d.keys.StateServer = bus.Credentials{JWT: token, Seed: string(id.Seed())}, id.Public()
	if d.logKey, d.keys.Log, err = tree.NewKey(rand.Reader, environment); err != nil {
		return nil, err
	}
	if d.site, err = NewSite(); err != nil {
		return nil, err
	}
	online := d.site.Online()
	d.keys.Snapshot, d.keys.Timestamp = online.Snapshot, online.Timestamp
	return d, nil
}

// Keys are the public keys that the operator signs for.
func (d *Directory) Keys() bootstrap.Keys { return d.keys }

// Begin takes the metadata that the operator signed. Its root is then the anchor.
func (d *Directory) Begin(first tuf.Bundle) (tuf.Anchor, error) {
	if len(first.Roots) == 0 {
		return tuf.Anchor{}, errors.New("read the environment's metadata: it has no root")
	}
	d.site.Begin(first)
	return d.site.Anchor, nil
}

// Save writes the directory into a machine's data directory. server.yaml is written last:
// where it lies, everything else does, too.
func (d *Directory) Save(dataDir string, c FileConfig) error {
	if err := host.MakeDirectory(Dir(dataDir)); err != nil {
		return fmt.Errorf("make the state server's directory: %w", err)
	}
	for _, save := range []func() error{
		func() error { return d.credentials.Save(CredentialsFile(dataDir)) },
		func() error { return host.WriteFile(LogKeyFile(dataDir), []byte(d.logKey+"\n")) },
		func() error { return d.site.Save(dataDir) },
		func() error { return d.Accounts.Save(TrustFile(dataDir)) },
		func() error { return c.Save(dataDir) },
	} {
		if err := save(); err != nil {
			return err
		}
	}
	return nil
}
