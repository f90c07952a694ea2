package environment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/version"
)

// bootstrap is what `juju bootstrap` was asked.
type bootstrap struct {
	app       *app.App
	name      string
	dataDir   string
	host      string
	port      int
	advertise []string
	http      string
	natsURL   string
	natsCA    string
	jujudPath string // --jujud; empty: it is looked for
	jujud     local.Jujud
	source    string
	systemd   bool
	agent     string // the version that jujud must have; empty: any
	uuid      string
	version   version.Binary
	noted     bool // the environment was added to the client's store by this run
	kept      bool // the data directory existed before, and was empty
}

func (b *bootstrap) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "bootstrap [NAME]", Short: "Make an environment: its keys, its log and its first machine", Args: cobra.MaximumNArgs(1),
		Long: `Make a new environment and make it the current one. Its keys and its configuration are
made here; machine 0, which is also the state server, is started on this host in the
background. NAME is "default" if it is not given.

On a real host, install juju and jujud, and run this with --systemd as root: it prepares
/var/lib/juju and prints the unit file and the commands to start it. Give --host and
--advertise so that other machines can reach it. With --nats-url the environment uses a
NATS server of yours instead of the one inside jujud; what is printed says how that
server learns the environment's keys and gets its certificate.

Every connection is TLS 1.3. The environment has a certificate authority of its own, made
here, and nobody believes another one, unless --nats-ca names one for your NATS server.

When machine 0 cannot be started, everything that was made is removed again.`,
		Example: `  juju bootstrap
  juju bootstrap trial --data-dir /tmp/trial --http 127.0.0.1:8080
  juju bootstrap prod --host 0.0.0.0 --advertise juju.example.com --systemd
  juju bootstrap prod --nats-url tls://nats.example.com:4222 --systemd`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if b.name, err = b.app.Named(args); err != nil {
				return err
			}
			if b.name == "" {
				b.name = "default"
			}
			return b.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.dataDir, "data-dir", "", "machine 0's directory (default: JUJU_DATA/machines/NAME/0; with --systemd /var/lib/juju)")
	f.StringVar(&b.host, "host", "127.0.0.1", "address that NATS listens on")
	f.IntVar(&b.port, "port", 0, fmt.Sprintf("port that NATS listens on; 0 chooses a free one, once (with --systemd %d)", systemdPort))
	f.StringSliceVar(&b.advertise, "advertise", nil, "names or addresses under which machines reach it (default: --host)")
	f.StringVar(&b.http, "http", "", "HOST:PORT of the web page, /status, /metrics and /healthz; without HOST this host only; none if empty")
	f.StringVar(&b.natsURL, "nats-url", "", "use this external NATS instead of the one inside jujud; needs --systemd")
	f.StringVar(&b.natsCA, "nats-ca", "", "file with the certificate, in PEM, of your own authority that signs the external NATS server's")
	f.StringVar(&b.jujudPath, "jujud", "", "the jujud to run (default: beside juju, then in the PATH)")
	f.StringVar(&b.agent, "agent-version", "", "insist on this version of jujud")
	f.StringVar(&b.source, "tools-source", "", "where tools are looked for, which is signed: a directory, a URL, or none (default "+settings.PublicSource+")")
	f.BoolVar(&b.systemd, "systemd", false, "prepare only, and print the systemd unit and how to start it")
	return cmd
}

// systemdPort is where a state server listens that is prepared here and started
// elsewhere: a port chosen there would not be known here. Source: Juju 1.25's API port.
const systemdPort = 17070

// run prepares everything, starts it, and takes back what it made when that fails.
func (b *bootstrap) run(ctx context.Context) (err error) {
	if err := b.checkFlags(); err != nil {
		return err
	}
	if err := b.checkHost(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			b.undo()
		}
	}()
	env, err := b.prepare(ctx)
	if err != nil {
		return err
	}
	if b.systemd {
		b.sayTrust()
		return errors.Join(b.app.Store().MakeCurrent(env.Name), b.printSystemd())
	}
	b.app.Say("Starting machine 0, the state server, in %s", b.dataDir)
	m := app.Machine{ID: "0", DataDir: b.dataDir}
	m.PID, m.Started, err = b.jujud.Start(ctx, filepath.Join(b.dataDir, "log", "machine-0.log"), "", "state-server", "--data-dir", b.dataDir)
	if err != nil {
		return app.Fail(err, "What bootstrap had made was removed again.", "")
	}
	if err := b.remember(m); err != nil {
		return errors.Join(err, local.Stop(m.PID, m.Started))
	}
	b.app.Say("Environment %q runs %s; juju status shows it", b.name, b.version.Number)
	b.sayTrust()
	return nil
}

// remember notes the process that runs, and where it is reached.
func (b *bootstrap) remember(m app.Machine) error {
	urls, err := local.Addresses(b.dataDir)
	if err != nil {
		return err
	}
	err = b.app.Store().Update(b.name, func(e *app.Environment) {
		e.URLs = urls
		e.Put(m)
	})
	return errors.Join(err, b.app.Store().MakeCurrent(b.name))
}

// undo removes what a failed bootstrap made, and nothing else.
func (b *bootstrap) undo() {
	if !b.noted {
		return
	}
	store := b.app.Store()
	made := []string{
		string(signing.SiteRepository(store, b.name)), store.CredentialsFile(b.name), store.AuthoritiesFile(b.name),
		store.LogKeysFile(b.name), store.EnvironmentFile(b.name),
	}
	for _, path := range made {
		if err := os.RemoveAll(path); err != nil {
			b.app.Say("Removing %s: %v", path, err)
		}
	}
	if err := local.RemoveMade(b.dataDir, b.uuid); err != nil {
		b.app.Say("Removing what was made in %s: %v", b.dataDir, err)
	}
	if !b.kept {
		_ = os.Remove(b.dataDir) // it is empty, or it was never made
		_ = os.Remove(b.app.Store().MachineDir(b.name, ""))
	}
}
