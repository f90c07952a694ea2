package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/statesrv"
)

// bootstrap is what `juju bootstrap` was asked.
type bootstrap struct {
	app       *App
	name      string
	dataDir   string
	host      string
	port      int
	advertise []string
	http      string
	natsURL   string
	jujud     string
	source    string
	systemd   bool
	uuid      string
	version   version.Binary
}

func (a *App) bootstrapCommand() *cobra.Command {
	b := &bootstrap{app: a}
	cmd := &cobra.Command{
		Use: "bootstrap [NAME]", Short: "Make an environment: its keys, its log and its first machine", Args: cobra.MaximumNArgs(1),
		Long: `Make a new environment and make it the current one. Its keys and its configuration are
made here; machine 0, which is also the state server, is started on this host in the
background. NAME is "default" if it is not given.

On a real host, install juju and jujud, and run this with --systemd as root: it prepares
/var/lib/juju and prints the unit file and the commands to start it. Give --host and
--advertise so that other machines can reach it.`,
		Example: `  juju bootstrap
  juju bootstrap prod --host 0.0.0.0 --advertise juju.example.com --port 17070 --systemd
  juju bootstrap trial --data-dir /tmp/trial --http 127.0.0.1:8080`,
		RunE: func(cmd *cobra.Command, args []string) error {
			b.name = "default"
			if len(args) > 0 {
				b.name = args[0]
			}
			return b.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.dataDir, "data-dir", "", "machine 0's directory (default: JUJU_DATA/machines/NAME/0; with --systemd /var/lib/juju)")
	f.StringVar(&b.host, "host", "127.0.0.1", "address that NATS listens on")
	f.IntVar(&b.port, "port", 0, "port that NATS listens on; 0 chooses a free one, once")
	f.StringSliceVar(&b.advertise, "advertise", nil, "names or addresses under which machines reach it (default: --host)")
	f.StringVar(&b.http, "http", "", "HOST:PORT for /healthz, /metrics and /status; none if empty")
	f.StringVar(&b.natsURL, "nats-url", "", "use this external NATS instead of the one inside jujud")
	f.StringVar(&b.jujud, "jujud", "", "the jujud to run (default: beside juju, then in the PATH)")
	f.StringVar(&b.source, "tools-source", "", "directory or URL of a simplestreams tree that the state server may fetch tools from")
	f.BoolVar(&b.systemd, "systemd", false, "prepare only, and print the systemd unit and how to start it")
	return cmd
}

// run prepares everything, starts it, and takes back what it made when that fails.
func (b *bootstrap) run(ctx context.Context) (err error) {
	if err := b.check(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			b.undo()
		}
	}()
	env, err := b.prepare()
	if err != nil {
		return err
	}
	if b.systemd {
		if len(env.URLs) == 0 && b.port != 0 {
			env.URLs = b.urls()
		}
		if err := b.app.saveEnvironment(env); err != nil {
			return err
		}
		return errors.Join(b.app.makeCurrent(b.name), b.printSystemd())
	}
	b.app.say("Starting machine 0, the state server, in %s", b.dataDir)
	m := machine{ID: "0", DataDir: b.dataDir}
	m.PID, m.Started, err = startDaemon(ctx, b.jujud, filepath.Join(b.dataDir, "log", "machine-0.log"), nil, "state-server", "--data-dir", b.dataDir)
	if err != nil {
		return fail(err, "What bootstrap had made was removed again.", "")
	}
	conf, err := agent.LoadConf(b.dataDir)
	if err != nil {
		return errors.Join(err, stopProcess(m.PID, m.Started))
	}
	env.URLs, env.Machines = conf.APIAddresses, []machine{m}
	if err := errors.Join(b.app.saveEnvironment(env), b.app.makeCurrent(b.name)); err != nil {
		return errors.Join(err, stopProcess(m.PID, m.Started))
	}
	b.app.say("Environment %q runs %s; juju status shows it", b.name, b.version.Number)
	return nil
}

// check refuses what cannot work, before anything is made.
func (b *bootstrap) check(ctx context.Context) error {
	if !events.IsID(b.name) {
		return usage("%q is no name of an environment: letters, digits, - and _ only", b.name)
	}
	if b.port < 0 || b.port > 65535 {
		return usage("port %d is not 0 to 65535", b.port)
	}
	if _, err := os.Stat(b.app.environmentFile(b.name)); err == nil {
		return fail(fmt.Errorf("there is an environment %q already", b.name), "Nothing was changed.",
			"choose another name, or juju destroy-environment "+b.name)
	}
	if b.dataDir == "" {
		b.dataDir = filepath.Join(b.app.data(), "machines", b.name, "0")
		if b.systemd {
			b.dataDir = "/var/lib/juju"
		}
	}
	var err error
	if b.dataDir, err = filepath.Abs(b.dataDir); err != nil {
		return err
	}
	if entries, err := os.ReadDir(b.dataDir); err == nil && len(entries) > 0 {
		return fail(fmt.Errorf("%s is not empty: it may be another environment's", b.dataDir), "Nothing was changed.", "choose another --data-dir")
	}
	if b.jujud, err = findJujud(b.jujud); err != nil {
		return err
	}
	b.version, err = jujudVersion(ctx, b.jujud)
	return err
}

// jujudVersion asks a jujud what it is.
func jujudVersion(ctx context.Context, jujud string) (version.Binary, error) {
	out, err := exec.CommandContext(ctx, jujud, "version").Output()
	if err != nil {
		return version.Binary{}, fmt.Errorf("ask %s for its version: %w", jujud, err)
	}
	return version.ParseBinary(strings.TrimSpace(string(out)))
}

// prepare makes keys, credentials and configuration of operator, state server and
// machine 0.
func (b *bootstrap) prepare() (environment, error) {
	b.uuid = uuid.Must(uuid.NewV7()).String()
	trust, err := bus.NewTrust(b.uuid)
	if err != nil {
		return environment{}, err
	}
	conf := agent.Conf{Tag: "machine-0", DataDir: b.dataDir, Environment: b.uuid, UpgradedToVersion: b.version.Number}
	if b.natsURL != "" {
		conf.APIAddresses = []string{b.natsURL}
	}
	if err := errors.Join(conf.Save(), os.MkdirAll(statesrv.Dir(b.dataDir), 0o700)); err != nil {
		return environment{}, fail(fmt.Errorf("prepare %s: %w", b.dataDir, err), "Nothing else was made.", "choose a --data-dir that can be written")
	}
	operator := operatorName()
	operatorKey, err := b.credentials(func(key string) (string, error) { return trust.OperatorJWT(operator, key) },
		func(c bus.Credentials) error { return b.app.saveCredentials(b.name, c) })
	if err != nil {
		return environment{}, err
	}
	if _, err = b.credentials(func(key string) (string, error) { return trust.StateServerJWT("state-server-0", key) },
		func(c bus.Credentials) error { return c.Save(statesrv.CredentialsFile(b.dataDir)) }); err != nil {
		return environment{}, err
	}
	machineKey, err := b.credentials(func(key string) (string, error) { return trust.AgentJWT("machine-0", key) },
		func(c bus.Credentials) error { return c.Save(conf.CredentialsFile()) })
	if err != nil {
		return environment{}, err
	}
	env := environment{Name: b.name, UUID: b.uuid, Operator: operator, URLs: conf.APIAddresses}
	return env, errors.Join(trust.Save(statesrv.TrustFile(b.dataDir)), b.serverConfig(operator, operatorKey, machineKey).Save(b.dataDir))
}

func (b *bootstrap) serverConfig(operator, operatorKey, machineKey string) statesrv.FileConfig {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "localhost"
	}
	return statesrv.FileConfig{
		Environment: b.uuid, Name: "state-server-0", Host: b.host, Port: b.port, Advertise: b.advertise,
		NATSURL: b.natsURL, HTTP: b.http, ToolsSource: b.source,
		Genesis: statesrv.Genesis{
			Name: b.name, AgentVersion: b.version.Number, Operators: []events.Operator{{Name: operator, Key: operatorKey}},
			Machine: statesrv.GenesisMachine{Key: machineKey, Hostname: hostname, Version: b.version},
		},
	}
}

// urls are where the state server will be, when its port is chosen.
func (b *bootstrap) urls() []string {
	hosts := b.advertise
	if len(hosts) == 0 {
		hosts = []string{b.host}
	}
	urls := make([]string, len(hosts))
	for i, h := range hosts {
		urls[i] = "nats://" + net.JoinHostPort(h, strconv.Itoa(b.port))
	}
	return urls
}

// credentials makes a key, has it signed in, and saves both.
func (b *bootstrap) credentials(sign func(key string) (string, error), save func(bus.Credentials) error) (publicKey string, err error) {
	id, err := bus.NewIdentity()
	if err != nil {
		return "", err
	}
	token, err := sign(id.Public())
	if err != nil {
		return "", err
	}
	return id.Public(), save(bus.Credentials{JWT: token, Seed: string(id.Seed())})
}

// operatorName is the person's login, made fit for a name.
func operatorName() string {
	u, err := user.Current()
	if err != nil || !events.IsID(u.Username) {
		return "operator"
	}
	return u.Username
}

// undo removes what a failed bootstrap made, and nothing else.
func (b *bootstrap) undo() {
	if b.uuid == "" {
		return
	}
	for _, path := range []string{b.dataDir, b.app.environmentFile(b.name), b.app.credentialsFile(b.name)} {
		if err := os.RemoveAll(path); err != nil {
			b.app.say("Removing %s: %v", path, err)
		}
	}
}

func (b *bootstrap) printSystemd() error {
	_, err := fmt.Fprintf(b.app.Stdout, `# /etc/systemd/system/jujud-machine-0.service
%s
# Start it:
#   systemctl daemon-reload
#   systemctl enable --now jujud-machine-0.service
# To start it on another host, copy %s there first, with its owner and modes.
# This client looks for it where "urls:" in %s says.
`, systemdUnit("state-server", b.jujud, b.dataDir), b.dataDir, b.app.environmentFile(b.name))
	return err
}

// systemdUnit is the unit file of a machine; role is state-server or machine.
func systemdUnit(role, jujud, dataDir string) string {
	return fmt.Sprintf(`[Unit]
Description=Jujube %s agent
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=all
ExecStart=%s %s --data-dir %s
Restart=always
RestartSec=2
TimeoutStopSec=60
KillMode=mixed
LimitNOFILE=1048576

[Install]
WantedBy=multi-user.target
`, role, jujud, role, dataDir)
}
