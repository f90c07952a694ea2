package connection

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// Enrolment is what a host needs to become a machine.
type Enrolment struct {
	DataDir string
	Token   string         // the text of a join token, from juju add-machine
	Own     version.Binary // of this jujud
	Logger  *slog.Logger
	// Ask shows the token to a state server, as Show does.
	Ask func(context.Context, Showing) (wire.Enrolled, error)
}

// Showing is what it takes to show a join token to a state server.
type Showing struct {
	Token  string        // its text
	Key    events.Signer // the host's
	Facts  wire.EnrolRequest
	Logger *slog.Logger
}

// enrolTimeout bounds an enrolment.
const enrolTimeout = time.Minute

// Enrol asks to be enrolled, and writes down what this host is from then on. agent.conf is
// written last: without it the host is not enrolled, and the next Enrol begins anew, with
// the same key. A token is used up by the first key that shows it.
func Enrol(ctx context.Context, e Enrolment) error {
	if err := install.Ours(e.DataDir); err != nil {
		return err
	}
	token, err := bus.ParseJoinToken(e.Token)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, enrolTimeout)
	defer cancel()
	conf := agent.Conf{
		Tag: "machine-" + token.Machine, DataDir: e.DataDir, Environment: token.Environment, APIAddresses: token.URLs,
		Labels: token.Labels, TrustRoot: token.Anchor, UpgradedToVersion: e.Own.Number,
	}
	if err := host.MakeDirectory(conf.Layout().Agent()); err != nil {
		return fmt.Errorf("prepare the data directory: %w", err)
	}
	id, err := hostKey(conf)
	if err != nil {
		return err
	}
	if err := bus.PinAuthorities(conf.AuthoritiesFile(), token.Authorities); err != nil {
		return err
	}
	hostname, digest := agent.Host(e.DataDir)
	enrolled, err := e.Ask(ctx, Showing{
		Token: e.Token, Key: id, Facts: wire.EnrolRequest{Hostname: hostname, Host: digest, Version: e.Own.String()}, Logger: e.Logger,
	})
	if err == nil {
		err = bus.JudgeEnrolled(token, enrolled) // whoever asked: the root is compared here
	}
	if err != nil {
		return err
	}
	own := bus.Credentials{JWT: enrolled.JWT, Seed: string(id.Seed())}
	if err := errors.Join(token.Enrol.Save(conf.EnrolFile()), own.Save(conf.CredentialsFile())); err != nil {
		return err
	}
	if len(enrolled.URLs) > 0 {
		conf.APIAddresses = enrolled.URLs
	}
	return conf.Save()
}

// Show shows a token to a state server, over a connection that may do nothing else.
func Show(ctx context.Context, s Showing) (wire.Enrolled, error) {
	token, err := bus.ParseJoinToken(s.Token)
	if err != nil {
		return wire.Enrolled{}, err
	}
	keys, err := newEnrolKeys(token.Enrol, func() (string, error) { return token.Authorities, nil })
	if err != nil {
		return wire.Enrolled{}, err
	}
	conn, err := bus.Connect(ctx, bus.ConnConfig{URLs: token.URLs, Keyring: keys, Name: "enrol " + events.MachineTag(token.Machine), Logger: s.Logger})
	if err != nil {
		return wire.Enrolled{}, err
	}
	defer conn.Close()
	return conn.Enrol(ctx, token, s.Key, s.Facts)
}

// hostKey makes this host's key, or reads the one that an earlier try made. It is durable
// before it is shown: if the answer to an enrolment is lost, the token belongs to that key.
func hostKey(conf agent.Conf) (*bus.Identity, error) {
	path := conf.CredentialsFile() + ".pending"
	b, err := host.ReadSecret(path)
	if err == nil {
		return bus.ParseIdentity(b)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	id, err := bus.NewIdentity()
	if err != nil {
		return nil, err
	}
	return id, host.WriteFile(path, id.Seed())
}
