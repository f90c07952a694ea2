package environment

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// checkFlags refuses values that nobody can mean. It looks at the command line only.
func (b *bootstrap) checkFlags() error {
	if !events.IsID(b.name) {
		return app.Usage("%q is no name of an environment: letters, digits, - and _ only", b.name)
	}
	if b.port < 0 || b.port > 65535 {
		return app.Usage("port %d is not 0 to 65535", b.port)
	}
	if b.http != "" {
		host, _, err := net.SplitHostPort(b.http)
		if err != nil {
			return app.Usage("--http %q is not HOST:PORT", b.http)
		}
		if ip := net.ParseIP(host); host != "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			b.app.Say("WARNING the pages on %s can be reached from other hosts: they are HTTPS there, and all but /healthz need a token of juju http-token", b.http)
		}
	}
	if b.systemd && (isLow(b.port) || isLow(portOf(b.http))) {
		return app.Usage("the state server runs without root, and cannot listen on a port below %d", firstOpenPort)
	}
	if b.agent != "" {
		if _, err := version.Parse(b.agent); err != nil {
			return app.Usage("--agent-version: %v", err)
		}
	}
	if b.natsURL != "" || b.natsCA != "" {
		return b.checkNATS()
	}
	if ip := net.ParseIP(b.host); ip != nil && ip.IsUnspecified() && len(b.advertise) == 0 {
		return app.Usage("--host %s is every address of this host, and none that a machine could connect to: name one with --advertise", b.host)
	}
	if b.systemd && b.port == 0 {
		b.port = systemdPort
	}
	return nil
}

// firstOpenPort is the first port on which a program may listen without root.
const firstOpenPort = 1024

func isLow(port int) bool { return port > 0 && port < firstOpenPort }

// portOf is the port of HOST:PORT, or 0.
func portOf(addr string) int {
	_, text, err := net.SplitHostPort(addr)
	if err != nil {
		return 0
	}
	port, _ := strconv.Atoi(text)
	return port
}

// checkNATS refuses flags that contradict each other about where NATS runs.
func (b *bootstrap) checkNATS() error {
	u, err := url.Parse(b.natsURL)
	switch {
	case b.natsURL == "":
		return app.Usage("--nats-ca is of an external NATS, which --nats-url names")
	case err != nil || u.Host == "" || u.Scheme != "tls":
		return app.Usage("--nats-url %q is not tls://HOST:PORT", b.natsURL)
	case b.port != 0 || len(b.advertise) > 0:
		return app.Usage("--nats-url says where NATS is; --port and --advertise belong to the one inside jujud")
	case !b.systemd:
		return app.Usage("--nats-url needs --systemd: your NATS server must know this environment's keys before the state server starts")
	}
	return nil
}

// checkHost refuses what cannot work on this host. Nothing has been made when it runs, so its
// errors say that nothing was changed.
func (b *bootstrap) checkHost(ctx context.Context) error {
	if _, err := os.Stat(b.app.Store().EnvironmentFile(b.name)); err == nil {
		return b.taken()
	}
	if b.dataDir == "" {
		b.dataDir = b.app.Store().MachineDir(b.name, "0")
		if b.systemd {
			b.dataDir = "/var/lib/juju"
		}
	}
	var err error
	if b.dataDir, err = filepath.Abs(b.dataDir); err != nil {
		return err
	}
	entries, err := os.ReadDir(b.dataDir)
	b.kept = err == nil
	// A bootstrap that was killed may have left its lock file, and nobody holds that any more.
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "lock" })
	if len(entries) > 0 {
		return app.Fail(fmt.Errorf("%s is not empty: it may be another environment's", b.dataDir), "Nothing was changed.", "choose another --data-dir")
	}
	if b.jujud, err = local.Find(b.jujudPath); err != nil {
		return err
	}
	if b.version, err = b.jujud.Version(ctx); err != nil {
		return err
	}
	if want, err := version.Parse(b.agent); err == nil && want != b.version.Number {
		return app.Fail(fmt.Errorf("%s is version %s, not %s", b.jujud, b.version.Number, want), "Nothing was changed.", "name a jujud of that version: --jujud PATH")
	}
	return nil
}

func (b *bootstrap) taken() error {
	return app.Fail(fmt.Errorf("there is an environment %q already", b.name), "Nothing was changed.",
		"choose another name, or juju destroy-environment "+b.name)
}
