package connection

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// Keys are what a connection needs of the machine's files. They are files of root; the network
// half, which is not root, asks the agent for what stands in them (package agent/network).
type Keys interface {
	bus.Keyring
	// Life is how long the newest credentials are good.
	Life() (bus.Life, error)
	// Enrol is with what new credentials are asked for.
	Enrol() (bus.Credentials, error)
	// Nonce is the one under which the successor of a generation of credentials is asked for.
	Nonce(generation uint64) (string, error)
	// Keep makes new credentials durable, and believes the authorities that came with them.
	Keep(wire.Renewed) (bus.Life, error)
	// Lock keeps others from renewing at the same time.
	Lock() (unlock func(), err error)
}

// Files are the Keys in a machine's directory.
type Files struct {
	conf  agent.Conf
	newID func() string
	id    *bus.Identity
}

// OpenFiles reads the machine's key. What else stands in the files is read anew each time.
func OpenFiles(conf agent.Conf, newID func() string) (Files, error) {
	creds, err := bus.LoadCredentials(conf.CredentialsFile())
	if err != nil {
		return Files{}, err
	}
	id, err := creds.Identity()
	return Files{conf, newID, id}, err
}

// Public implements Keys.
func (f Files) Public() string { return f.id.Public() }

// Sign implements Keys.
func (f Files) Sign(b []byte) ([]byte, error) { return f.id.Sign(b) }

// credentials are the newest of the key.
func (f Files) credentials() (bus.Credentials, error) {
	creds, err := bus.LoadCredentials(f.conf.CredentialsFile())
	if err != nil {
		return creds, err
	}
	if creds.Seed != string(f.id.Seed()) {
		return creds, fmt.Errorf("read credentials %s: they are for another key now", f.conf.CredentialsFile())
	}
	return creds, nil
}

// Token implements Keys.
func (f Files) Token() (string, error) {
	creds, err := f.credentials()
	return creds.JWT, err
}

// Authorities implements Keys.
func (f Files) Authorities() (string, error) { return bus.PinnedAuthorities(f.conf.AuthoritiesFile()) }

// Life implements Keys.
func (f Files) Life() (bus.Life, error) {
	token, err := f.Token()
	if err != nil {
		return bus.Life{}, err
	}
	return bus.LifeOf(token)
}

// Enrol implements Keys.
func (f Files) Enrol() (bus.Credentials, error) { return bus.LoadCredentials(f.conf.EnrolFile()) }

// renewal is what stands in renewal.json: the question about one generation of credentials.
type renewal struct {
	Generation uint64 `json:"generation"`
	Nonce      string `json:"nonce"`
}

// Nonce implements Keys. It is on disk before it is used: a crash between question and answer
// asks again with the same nonce. The state server takes another nonce for another host that has
// this machine's key.
func (f Files) Nonce(generation uint64) (string, error) {
	var last renewal
	b, err := host.ReadPinned(f.conf.RenewalFile())
	if err == nil && json.Unmarshal(b, &last) == nil && last.Generation == generation && last.Nonce != "" {
		return last.Nonce, nil
	}
	last = renewal{Generation: generation, Nonce: f.newID()}
	if b, err = json.Marshal(last); err != nil {
		return "", err
	}
	return last.Nonce, host.WriteFile(f.conf.RenewalFile(), b)
}

// Keep implements Keys. It keeps nothing that is no token, and none that is older than what is kept.
func (f Files) Keep(r wire.Renewed) (bus.Life, error) {
	creds, err := f.credentials()
	if err != nil {
		return bus.Life{}, err
	}
	before, err := bus.LifeOf(creds.JWT)
	if err != nil {
		return before, err
	}
	life, err := bus.LifeOf(r.JWT)
	if err != nil || life.Generation < before.Generation {
		return before, err
	}
	creds.JWT = r.JWT
	if err := creds.Save(f.conf.CredentialsFile()); err != nil {
		return before, err
	}
	return life, f.pin(r.Authorities)
}

// pin believes, from now on, the certificates that the state server says, if it says any.
func (f Files) pin(authorities string) error {
	if authorities == "" {
		return nil
	}
	before, err := f.Authorities()
	if err == nil && before == authorities {
		return nil
	}
	return bus.PinAuthorities(f.conf.AuthoritiesFile(), authorities)
}

// Lock implements Keys. The agent and the command `jujud renew` may both renew: one at a time,
// and the second then finds that nothing is due.
func (f Files) Lock() (unlock func(), err error) {
	return host.Lock(filepath.Join(f.conf.Layout().Agent(), "renew.lock"))
}

// enrolKeys are the Keyring of a connection that may ask for credentials, and for nothing else.
type enrolKeys struct {
	*bus.Identity
	token       string
	authorities func() (string, error)
}

func newEnrolKeys(creds bus.Credentials, authorities func() (string, error)) (enrolKeys, error) {
	id, err := creds.Identity()
	return enrolKeys{id, creds.JWT, authorities}, err
}

// Token implements bus.Keyring.
func (k enrolKeys) Token() (string, error) { return k.token, nil }

// Authorities implements bus.Keyring.
func (k enrolKeys) Authorities() (string, error) { return k.authorities() }
