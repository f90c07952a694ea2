package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/google/uuid"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/statesrv"
)

// prepare notes the environment, so that it can be destroyed whatever happens next, and
// makes keys, credentials and configuration of operator, state server and machine 0.
func (b *bootstrap) prepare() (app.Environment, error) {
	b.uuid = uuid.Must(uuid.NewV7()).String()
	env := app.Environment{
		Name: b.name, UUID: b.uuid, Operator: operatorName(), Machines: []app.Machine{{ID: "0", DataDir: b.dataDir}},
	}
	if b.systemd {
		env.URLs = b.urls()
	}
	if err := b.app.Store().Add(env); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return env, b.taken()
		}
		return env, err
	}
	b.noted = true
	trust, err := bus.NewTrust(b.uuid)
	if err != nil {
		return env, err
	}
	conf := agent.Conf{Tag: "machine-0", DataDir: b.dataDir, Environment: b.uuid, UpgradedToVersion: b.version.Number}
	if b.natsURL != "" {
		conf.APIAddresses = env.URLs
	}
	if err := errors.Join(conf.Save(), os.MkdirAll(statesrv.Dir(b.dataDir), 0o700)); err != nil {
		return env, app.Fail(fmt.Errorf("prepare %s: %w", b.dataDir, err), "What bootstrap had made was removed again.", "choose a --data-dir that can be written")
	}
	return env, errors.Join(b.pin(trust, conf), b.keys(trust, conf, env.Operator))
}

// pin notes for the client and for machine 0 which authorities they believe.
func (b *bootstrap) pin(trust *bus.Trust, conf agent.Conf) error {
	certificates := trust.Certificates()
	if b.natsCA != "" {
		text, err := os.ReadFile(b.natsCA)
		if err != nil {
			return fmt.Errorf("read --nats-ca: %w", err)
		}
		if err := bus.CheckAuthorities(string(text)); err != nil {
			return app.Fail(fmt.Errorf("--nats-ca %s: %w", b.natsCA, err), "What bootstrap had made was removed again.", "")
		}
		certificates = string(text)
	}
	file := b.app.Store().AuthoritiesFile(b.name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("pin the certificate authority: %w", err)
	}
	return errors.Join(bus.PinAuthorities(file, certificates), bus.PinAuthorities(conf.AuthoritiesFile(), certificates))
}

// keys makes everybody's, and writes who may do what.
func (b *bootstrap) keys(trust *bus.Trust, conf agent.Conf, operator string) error {
	operatorKey, err := b.credentials(func(key string) (string, error) { return trust.OperatorJWT(operator, key) },
		func(c bus.Credentials) error { return b.app.Store().SaveCredentials(b.name, c) })
	if err != nil {
		return err
	}
	serverKey, err := b.credentials(func(key string) (string, error) { return trust.StateServerJWT("state-server-0", key) },
		func(c bus.Credentials) error { return c.Save(statesrv.CredentialsFile(b.dataDir)) })
	if err != nil {
		return err
	}
	machineKey, err := b.credentials(func(key string) (string, error) { return trust.AgentJWT("machine-0", key) },
		func(c bus.Credentials) error { return c.Save(conf.CredentialsFile()) })
	if err != nil {
		return err
	}
	renews, err := trust.EnrolCredentials()
	if err == nil {
		err = renews.Save(conf.EnrolFile())
	}
	if err != nil {
		return err
	}
	logKey, err := statesrv.NewLogKey(b.dataDir, b.uuid)
	if err != nil {
		return err
	}
	if err := b.app.Store().PinLogKey(b.name, logKey); err != nil {
		return err
	}
	vendor, err := b.app.vendor()
	if err != nil {
		return err
	}
	admin := events.Operator{Name: operator, Key: operatorKey, Grants: []events.Grant{{Role: events.RoleAdmin}}}
	if err := b.makeSite(conf, events.Roster{Operators: []events.Operator{admin}, StateServers: []string{serverKey}, Logs: []string{logKey}}); err != nil {
		return err
	}
	server := b.serverConfig(admin, machineKey)
	server.Genesis.Settings = map[string]string{"tools-signers": vendor.Anchor()}
	if b.source != "" {
		server.Genesis.Settings["tools-source"] = b.source
	}
	return errors.Join(trust.Save(statesrv.TrustFile(b.dataDir)), server.Save(b.dataDir))
}

func (b *bootstrap) serverConfig(admin events.Operator, machineKey string) statesrv.FileConfig {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "localhost"
	}
	return statesrv.FileConfig{
		Environment: b.uuid, Name: "state-server-0", Host: b.host, Port: b.port, Advertise: b.advertise,
		NATSURL: b.natsURL, HTTP: b.http,
		Genesis: statesrv.Genesis{
			Name: b.name, AgentVersion: b.version.Number, Operators: []events.Operator{admin},
			Machine: statesrv.GenesisMachine{Key: machineKey, Hostname: hostname, Version: b.version},
		},
	}
}

// urls are where the environment will be, when its port is known.
func (b *bootstrap) urls() []string {
	if b.natsURL != "" {
		return []string{b.natsURL}
	}
	hosts := b.advertise
	if len(hosts) == 0 {
		hosts = []string{b.host}
	}
	urls := make([]string, len(hosts))
	for i, h := range hosts {
		urls[i] = "tls://" + net.JoinHostPort(h, strconv.Itoa(b.port))
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
