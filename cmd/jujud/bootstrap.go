package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/bootstrap"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/statesrv"
)

func (o *options) bootstrapCommand() *cobra.Command {
	return &cobra.Command{
		Use: "bootstrap", Short: "Make the data directory of a new environment's machine 0.", Hidden: true, Args: noArgs,
		Long: `Make the data directory of machine 0 of a new environment, which is its state server, too.
juju bootstrap runs this, and speaks with it over the standard input and output. When it
fails, nothing of what it made is left.`,
		Example: "  juju bootstrap prod --data-dir /var/lib/juju --systemd",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bootstrap.Answer(cmd.InOrStdin(), cmd.OutOrStdout(), &founding{dataDir: o.dataDir})
		},
	}
}

// stateServer0 is the first state server's name in NATS and in the log.
const stateServer0 = "state-server-0"

// founding makes a new environment. juju calls Prepare and then Make, over two pipes, and signs
// in between; package events/bootstrap says how.
type founding struct {
	dataDir   string
	plan      bootstrap.Plan
	directory *statesrv.Directory // keys of the state server, in memory until Make saves them
}

// Prepare makes the state server's keys and returns their public halves. It writes nothing to the
// disk, so that nothing is left if the operator does not sign.
func (f *founding) Prepare(p bootstrap.Plan) (bootstrap.Keys, error) {
	if err := mustBeEmpty(f.dataDir); err != nil {
		return bootstrap.Keys{}, err
	}
	f.plan = p
	var err error
	if f.directory, err = statesrv.NewDirectory(p.Environment, stateServer0); err != nil {
		return bootstrap.Keys{}, err
	}
	return f.directory.Keys(), nil
}

// lockName is the file in a data directory that a running jujud locks.
const lockName = "lock"

// mustBeEmpty refuses a data directory in which something lies, or that somebody else could
// exchange. A missing directory is empty, and a lock file that nobody holds is nothing.
func mustBeEmpty(dataDir string) error {
	if err := host.CheckDirectory(dataDir); err != nil {
		return fmt.Errorf("prepare the data directory: %w", err)
	}
	entries, err := os.ReadDir(dataDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("prepare %s: %w", dataDir, err)
	}
	for _, e := range entries {
		if e.Name() != lockName {
			return fmt.Errorf("prepare %s: it is not empty; nothing was changed", dataDir)
		}
	}
	return nil
}

// claim makes the data directory this process's alone, until unlock, and sees that it is still
// empty: two bootstraps may have found it empty at the same time.
func claim(dataDir string) (unlock func(), err error) {
	if err := host.MakeDirectory(dataDir); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", dataDir, err)
	}
	if unlock, err = host.TryLock(filepath.Join(dataDir, lockName)); err != nil {
		return nil, fmt.Errorf("prepare %s: %w; nothing was changed", dataDir, err)
	}
	if err := mustBeEmpty(dataDir); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// Make writes the data directory. If an error stops it, it removes what it has written.
func (f *founding) Make(s bootstrap.Signed) (made bootstrap.Made, err error) {
	first, err := tuf.ParseBundle(s.Bundle)
	if err != nil {
		return made, fmt.Errorf("read the environment's metadata: %w", err)
	}
	anchor, err := f.directory.Begin(first)
	if err != nil {
		return made, err
	}
	trust := f.directory.Accounts
	if made.JWT, err = trust.OperatorJWT(f.plan.Operator.Name, f.plan.Operator.Key); err != nil {
		return made, err
	}
	made.Certificates = cmp.Or(f.plan.Certificate, trust.Certificates())
	undo := undoBootstrap(f.dataDir)
	unlock, err := claim(f.dataDir)
	if err != nil {
		return made, err
	}
	defer unlock()
	defer func() {
		if err != nil {
			err = errors.Join(err, undo())
		}
	}()
	server, err := f.machine(anchor, made.Certificates)
	if err != nil {
		return made, err
	}
	return made, f.directory.Save(f.dataDir, server)
}

// machine writes the files of machine 0 and returns the state server's configuration, which
// names the machine's key.
func (f *founding) machine(anchor tuf.Anchor, authorities string) (statesrv.FileConfig, error) {
	p, c := f.plan, statesrv.FileConfig{}
	own, err := ownVersion()
	if err != nil {
		return c, err
	}
	id, err := bus.NewIdentity()
	if err != nil {
		return c, err
	}
	token, err := f.directory.Accounts.AgentJWT("machine-0", id.Public())
	if err != nil {
		return c, err
	}
	renews, err := f.directory.Accounts.EnrolCredentials()
	if err != nil {
		return c, err
	}
	conf := agent.Conf{Tag: "machine-0", DataDir: f.dataDir, Environment: p.Environment, UpgradedToVersion: own.Number, TrustRoot: anchor.SHA256}
	if p.NATSURL != "" {
		conf.APIAddresses = []string{p.NATSURL}
	}
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "localhost"
	}
	c = statesrv.FileConfig{
		Environment: p.Environment, Name: stateServer0, Host: p.Host, Port: p.Port, Advertise: p.Advertise, NATSURL: p.NATSURL, HTTP: p.HTTP,
		Genesis: statesrv.Genesis{
			Name: p.Name, AgentVersion: own.Number, Operators: []events.Operator{p.Operator}, Settings: p.Settings,
			Machine: statesrv.GenesisMachine{Key: id.Public(), Hostname: hostname, Version: own},
		},
	}
	return c, conf.Bootstrap(agent.Credentials{Agent: bus.Credentials{JWT: token, Seed: string(id.Seed())}, Renewal: renews, Authorities: authorities})
}

// undoBootstrap returns what removes everything that a bootstrap has made. The data directory was
// empty, so everything in it is removed; the directory itself goes if it does not exist now.
func undoBootstrap(dataDir string) func() error {
	_, err := os.Stat(dataDir)
	made := errors.Is(err, fs.ErrNotExist)
	return func() error {
		err := errors.Join(os.RemoveAll(filepath.Join(dataDir, "agents")), os.RemoveAll(statesrv.Dir(dataDir)), os.Remove(filepath.Join(dataDir, lockName)))
		if made {
			err = errors.Join(err, os.RemoveAll(dataDir))
		}
		return err
	}
}
