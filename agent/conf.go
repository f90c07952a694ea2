package agent

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
)

// Conf is agent.conf: who this machine is and where its environment is. Source of the
// field names: Juju 1.25.
type Conf struct {
	Tag               string         `yaml:"tag"` // "machine-3"
	DataDir           string         `yaml:"datadir"`
	Environment       string         `yaml:"environment"`  // UUID
	APIAddresses      []string       `yaml:"apiaddresses"` // NATS URLs, tls://HOST:PORT
	UpgradedToVersion version.Number `yaml:"upgradedToVersion"`
	// UpgradingToVersion is set from before the first upgrade step of that version until all
	// of them are done.
	UpgradingToVersion version.Number `yaml:"upgradingToVersion,omitempty"`
	Values             Values         `yaml:"values,omitempty"`
	TrustRoot          string         `yaml:"trust_root,omitempty"` // sha256 of the first root of the signed metadata

	Labels map[string]string `yaml:"labels,omitempty"` // those of the invitation; operators have rights over machines by label
}

// Values are settings of this host. Zero values take the defaults.
type Values struct {
	Beat           time.Duration `yaml:"beat,omitempty"`            // between heartbeats; 5 s
	ReadyTimeout   time.Duration `yaml:"ready_timeout,omitempty"`   // from start to ready; 30 s
	SilenceTimeout time.Duration `yaml:"silence_timeout,omitempty"` // since the agent last said that it is alive; 30 s
	TrialTimeout   time.Duration `yaml:"trial_timeout,omitempty"`   // from start to healthy; 60 s
	SettleTime     time.Duration `yaml:"settle_time,omitempty"`     // that a new version must run after its commit; 5 min
	StopTimeout    time.Duration `yaml:"stop_timeout,omitempty"`    // from the word stop to SIGKILL; 20 s
	RestartPause   time.Duration `yaml:"restart_pause,omitempty"`   // before a restart after a crash; 1 s
	NetworkUser    string        `yaml:"network_user,omitempty"`    // that the network half runs as, if the agent is root; jujud-net
	TrialAttempts  int           `yaml:"trial_attempts,omitempty"`  // starts of a version on trial; 3
}

// Machine is the machine's id.
func (c Conf) Machine() string { return strings.TrimPrefix(c.Tag, "machine-") }

// Layout gives the machine's paths.
func (c Conf) Layout() install.Layout { return install.Layout{Dir: c.DataDir, Machine: c.Machine()} }

// CredentialsFile holds the credentials with which the agent connects to NATS.
func (c Conf) CredentialsFile() string { return filepath.Join(c.Layout().Agent(), "agent.creds") }

// EnrolFile holds the credentials with which the agent asks for new ones. They allow nothing
// else.
func (c Conf) EnrolFile() string { return filepath.Join(c.Layout().Agent(), "enrol.creds") }

// RenewalFile keeps the nonce under which the agent asks for new credentials, so that it asks
// with the same one again after a crash.
func (c Conf) RenewalFile() string { return filepath.Join(c.Layout().Agent(), "renewal.json") }

// Anchor is the root that is pinned. The zero Anchor means that none is: then no metadata is
// believed.
func (c Conf) Anchor() tuf.Anchor { return tuf.Anchor{SHA256: c.TrustRoot} }

// AuthoritiesFile holds the certificates of the authorities that may have signed the
// certificate of a NATS server.
func (c Conf) AuthoritiesFile() string { return filepath.Join(c.Layout().Agent(), "ca.pem") }

// ErrNoConf: the data directory has no agent.conf, so the machine is not enrolled.
var ErrNoConf = errors.New("this machine is not enrolled")

// LoadConf finds and reads the one agent.conf of a data directory.
func LoadConf(dataDir string) (Conf, error) {
	names, err := filepath.Glob(filepath.Join(dataDir, "agents", "machine-*", "agent.conf"))
	if err != nil {
		return Conf{}, fmt.Errorf("read agent.conf: %w", err)
	}
	if len(names) == 0 {
		return Conf{}, fmt.Errorf("read agent.conf: %w: there is none in %s; "+
			"enrol it with a token of `juju add-machine`: jujud machine --data-dir %s --join-file FILE", ErrNoConf, dataDir, dataDir)
	}
	if len(names) > 1 {
		return Conf{}, fmt.Errorf("read agent.conf: %s is the data directory of several machines: %s", dataDir, strings.Join(names, ", "))
	}
	b, err := host.ReadPinned(names[0])
	if err != nil {
		return Conf{}, fmt.Errorf("read agent.conf: %w", err)
	}
	var c Conf
	if err := yaml.UnmarshalWithOptions(b, &c); err != nil {
		return Conf{}, fmt.Errorf("read %s: %w", names[0], err)
	}
	if !events.IsMachine(c.Machine()) || c.Environment == "" || filepath.Base(filepath.Dir(names[0])) != c.Tag {
		return Conf{}, fmt.Errorf("read %s: its tag or its environment is missing, or it is another machine's", names[0])
	}
	c.DataDir = dataDir
	return c, nil
}

// Save writes agent.conf, atomically and durably.
func (c Conf) Save() error {
	b, err := yaml.Marshal(c)
	if err != nil {
		return fmt.Errorf("write agent.conf: %w", err)
	}
	if err := host.MakeDirectory(c.Layout().Agent()); err != nil {
		return fmt.Errorf("write agent.conf: %w", err)
	}
	return host.WriteFile(filepath.Join(c.Layout().Agent(), "agent.conf"), b)
}

// OwnVersion is the version of the jujud at exe: what the linker stamped, or what the
// FORCE-VERSION file beside it says. Source: Juju 1.25.
func OwnVersion(exe string) (version.Binary, error) {
	series, arch := host.Platform()
	v := version.Binary{Number: version.Current(), Series: series, Arch: arch}
	b, err := os.ReadFile(filepath.Join(filepath.Dir(exe), "FORCE-VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return v, nil
	}
	if err == nil {
		v.Number, err = version.Parse(string(bytes.TrimSpace(b)))
	}
	if err != nil {
		return v, fmt.Errorf("read the forced version of %s: %w", exe, err)
	}
	return v, nil
}
