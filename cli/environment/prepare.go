package environment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/google/uuid"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	making "github.com/jujube-project/jujube/events/bootstrap"
	"github.com/jujube-project/jujube/host"
)

// prepare makes everything that is on disk before machine 0 starts. The order matters: the
// environment is added to the store first, so that destroy-environment finds it whatever
// happens next. Then jujud makes the keys of the state server and of machine 0, the operator's
// keys sign for them, and the operator's credentials are saved.
func (b *bootstrap) prepare(ctx context.Context) (app.Environment, error) {
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
	id, err := bus.NewIdentity()
	if err != nil {
		return env, err
	}
	plan, err := b.plan(env.Operator, id.Public())
	if err != nil {
		return env, err
	}
	made, err := b.jujud.Bootstrap(ctx, b.dataDir, plan, func(k making.Keys) (making.Signed, error) { return b.sign(plan.Operator, k) })
	if err != nil {
		next := "choose a --data-dir that can be written"
		if errors.Is(err, local.ErrTooOld) {
			next = "install a newer jujud, or name one: --jujud PATH"
		}
		return env, app.Fail(fmt.Errorf("prepare %s: %w", b.dataDir, err), "What bootstrap had made was removed again.", next)
	}
	return env, errors.Join(
		b.app.Store().SaveCredentials(b.name, bus.Credentials{JWT: made.JWT, Seed: string(id.Seed())}),
		b.pin(made.Certificates),
	)
}

// plan is what jujud is asked to make. The operator is the environment's admin.
func (b *bootstrap) plan(operator, key string) (making.Plan, error) {
	p := making.Plan{
		Environment: b.uuid, Name: b.name, Operator: events.Operator{Name: operator, Key: key, Grants: []events.Grant{{Role: events.RoleAdmin}}},
		Host: b.host, Port: b.port, Advertise: b.advertise, HTTP: b.http, NATSURL: b.natsURL,
	}
	vendor, err := signing.Vendor(b.app.Store())
	if err != nil {
		return p, err
	}
	p.Settings = map[string]string{"tools-signers": vendor.Anchor()}
	if b.source != "" {
		p.Settings["tools-source"] = b.source
	}
	if b.natsCA == "" {
		return p, nil
	}
	text, err := os.ReadFile(b.natsCA)
	if err != nil {
		return p, fmt.Errorf("read --nats-ca: %w", err)
	}
	if err := bus.CheckAuthorities(string(text)); err != nil {
		return p, app.Fail(fmt.Errorf("--nats-ca %s: %w", b.natsCA, err), "What bootstrap had made was removed again.", "")
	}
	p.Certificate = string(text)
	return p, nil
}

// pin writes the certificates of the authorities that this client will believe.
func (b *bootstrap) pin(certificates string) error {
	file := b.app.Store().AuthoritiesFile(b.name)
	if err := host.MakeDirectory(filepath.Dir(file)); err != nil {
		return fmt.Errorf("pin the certificate authority: %w", err)
	}
	return bus.PinAuthorities(file, certificates)
}

// urls are where machines and clients will find the environment. The port must be known: with
// --systemd it is, else machine 0 chooses one when it starts.
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

// operatorName is the login of the person, or "operator" if the login cannot be a name.
func operatorName() string {
	u, err := user.Current()
	if err != nil || !events.IsID(u.Username) {
		return "operator"
	}
	return u.Username
}
