package machines

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/wire"
)

var began = time.Date(2015, 6, 1, 12, 0, 0, 0, time.UTC)

// B04: rights hang on labels, and a machine believes those in its token. They are what was
// typed; a state server that answers others is found out, and no token leaves the client.
func TestB04TokensPinTheLabelsThatWereTyped(t *testing.T) {
	b := bustest.Start(t)
	m := &addMachine{app: &app.App{}, labels: map[string]string{"env": "prod"}}
	data := t.TempDir()
	m.app.Getenv = func(string) string { return data }
	env := app.Environment{Name: "prod", UUID: bustest.Environment, URLs: b.URLs}
	if err := os.MkdirAll(filepath.Dir(m.app.Store().AuthoritiesFile("prod")), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := bus.PinAuthorities(m.app.Store().AuthoritiesFile("prod"), b.Accounts.Certificates()); err != nil {
		t.Fatal(err)
	}
	if err := signing.SiteRepository(m.app.Store(), "prod").Pin(tuf.Anchor{SHA256: strings.Repeat("a", 64)}); err != nil {
		t.Fatal(err)
	}
	secret, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	invite := func(labels map[string]string) ([]bus.JoinToken, error) {
		rec, err := events.New(events.Envelope{ID: "e", Time: began, Actor: "state-server-0"},
			&events.MachineInvited{Machine: "1", TokenKey: secret.Public(), Expires: began, Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		return m.invitations(env, []events.Record{rec}, map[string]*bus.Identity{secret.Public(): secret}, wire.Credentials{})
	}
	for _, says := range []map[string]string{{"env": "dev"}, nil, {"env": "prod", "room": "2"}} {
		if tokens, err := invite(says); err == nil || !strings.Contains(err.Error(), "not with env=prod as it was asked") || len(tokens) > 0 {
			t.Errorf("invited with %v: %v, %v", says, tokens, err)
		}
	}
	tokens, err := invite(m.labels)
	if err != nil || len(tokens) != 1 || !maps.Equal(tokens[0].Labels, m.labels) {
		t.Errorf("%v, %v", tokens, err)
	}
}
