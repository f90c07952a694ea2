package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/bootstrap"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/statesrv"
)

// client is an operator who makes an environment, and everything that was said.
type client struct {
	testing.TB
	id   *bus.Identity
	sign func(bootstrap.Keys) (bootstrap.Signed, error)
	said bytes.Buffer // both ways
}

func newClient(t *testing.T) *client {
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return &client{TB: t, id: id, sign: func(k bootstrap.Keys) (bootstrap.Signed, error) {
		key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
		repo, err := tuf.First(events.Roster{
			Operators:    []events.Operator{{Name: "ann", Key: id.Public(), Grants: []events.Grant{{Role: events.RoleAdmin}}}},
			StateServers: []string{k.StateServer}, Logs: []string{k.Log},
		}, nil, key, key, tuf.Online{Snapshot: k.Snapshot, Timestamp: k.Timestamp}, time.Now())
		if err != nil {
			return bootstrap.Signed{}, err
		}
		return bootstrap.Signed{Bundle: repo.Bundle().Marshal()}, nil
	}}
}

const uuid0 = "5c1e3f5c-0000-4000-8000-000000000001"

// bootstraps speaks with jujud's side.
func (c *client) bootstraps(dataDir string) (bootstrap.Made, error) {
	toServer, fromClient := io.Pipe()
	toClient, fromServer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := bootstrap.Answer(toServer, fromServer, &founding{dataDir: dataDir})
		_, _ = toServer.Close(), fromServer.Close()
		ended <- err
	}()
	made, asked := bootstrap.Ask(io.MultiWriter(&c.said, fromClient), io.TeeReader(toClient, &c.said), bootstrap.Plan{
		Environment: uuid0, Name: "prod", Operator: events.Operator{Name: "ann", Key: c.id.Public()}, Host: "127.0.0.1",
		Settings: map[string]string{"tools-source": "none"},
	}, c.sign)
	_ = fromClient.Close()
	if err := <-ended; err != nil {
		return made, err
	}
	return made, asked
}

func TestBootstrapMakesWhatAStateServerReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "0")
	made, err := newClient(t).bootstraps(dir)
	if err != nil {
		t.Fatal(err)
	}
	conf, err := agent.LoadConf(dir)
	if err != nil || conf.Tag != "machine-0" || conf.Environment != uuid0 {
		t.Errorf("agent.conf: %+v, %v", conf, err)
	}
	site, err := statesrv.LoadSite(dir)
	if err != nil || site.Anchor != conf.Anchor() {
		t.Errorf("the site's anchor is not machine 0's: %v", err)
	}
	server, err := statesrv.LoadFileConfig(dir)
	if err != nil || server.Genesis.Settings["tools-source"] != "none" || server.Genesis.Machine.Version.IsZero() {
		t.Errorf("server.yaml: %+v, %v", server, err)
	}
	if pinned, err := bus.PinnedAuthorities(conf.AuthoritiesFile()); err != nil || pinned != made.Certificates {
		t.Errorf("machine 0 and the client pin different authorities: %v", err)
	}
	for _, name := range []string{statesrv.CredentialsFile(dir), conf.CredentialsFile(), conf.EnrolFile()} {
		if _, err := bus.LoadCredentials(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := statesrv.LoadLogKey(dir, uuid0); err != nil {
		t.Error(err)
	}
}

func TestBootstrapSaysNoSecret(t *testing.T) {
	c, dir := newClient(t), filepath.Join(t.TempDir(), "0")
	if _, err := c.bootstraps(dir); err != nil {
		t.Fatal(err)
	}
	secrets := [][]byte{c.id.Seed()}
	for _, name := range []string{
		"server/trust.json", "server/state-server.creds", "server/site.json", "server/log.key",
		"agents/machine-0/agent.creds", "agents/machine-0/enrol.creds",
	} {
		secrets = append(secrets, secretsIn(t, filepath.Join(dir, name))...)
	}
	for _, s := range secrets {
		if bytes.Contains(c.said.Bytes(), s) {
			t.Errorf("the secret %.12s… was said", s)
		}
	}
}

// seeds are how private keys look in the files: nkeys, PEM, base64 of 32 bytes, a note's key.
var seeds = regexp.MustCompile(`S[OAU][A-Z2-7]{56}|PRIVATE KEY-----\\n[A-Za-z0-9+/]+|_seed":"[A-Za-z0-9+/=]+|PRIVATE\+KEY\+\S+`)

func secretsIn(t *testing.T, file string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := seeds.FindAll(b, -1)
	if len(found) == 0 {
		t.Fatalf("no secret is found in %s: say how it looks", file)
	}
	for i, f := range found {
		for _, intro := range []string{`PRIVATE KEY-----\n`, `_seed":"`} {
			f = bytes.TrimPrefix(f, []byte(intro))
		}
		found[i] = f
	}
	return found
}

func TestBootstrapThatFailsLeavesNothing(t *testing.T) {
	for name, sign := range map[string]func(bootstrap.Keys) (bootstrap.Signed, error){
		"the client cannot sign": func(bootstrap.Keys) (bootstrap.Signed, error) { return bootstrap.Signed{}, errors.New("no key") },
		"metadata that is none":  func(bootstrap.Keys) (bootstrap.Signed, error) { return bootstrap.Signed{Bundle: []byte("x")}, nil },
		"metadata without root": func(bootstrap.Keys) (bootstrap.Signed, error) {
			return bootstrap.Signed{Bundle: tuf.Bundle{}.Marshal()}, nil
		},
	} {
		c, dir := newClient(t), filepath.Join(t.TempDir(), "0")
		c.sign = sign
		if _, err := c.bootstraps(dir); err == nil {
			t.Errorf("%s: it was made", name)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %s is there: %v", name, dir, err)
		}
	}
}

// Something comes into the directory after it was found empty. It stays, and nothing is made.
func TestBootstrapLeavesWhatCameMeanwhile(t *testing.T) {
	dir := t.TempDir()
	c := newClient(t)
	signs := c.sign
	c.sign = func(k bootstrap.Keys) (bootstrap.Signed, error) {
		if err := os.WriteFile(statesrv.Dir(dir), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		return signs(k)
	}
	if _, err := c.bootstraps(dir); err == nil {
		t.Fatal("it was made")
	}
	if b, err := os.ReadFile(statesrv.Dir(dir)); err != nil || string(b) != "mine" {
		t.Errorf("it is %q: %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "agents")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a machine was made beside it: %v", err)
	}
}

// What was written is removed again, and the directory, too, if it did not exist before.
func TestBootstrapUndoesWhatItWrote(t *testing.T) {
	kept, made := t.TempDir(), filepath.Join(t.TempDir(), "0")
	for _, dir := range []string{kept, made} {
		undo := undoBootstrap(dir)
		unlock, err := claim(dir)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(os.MkdirAll(filepath.Join(dir, "agents", "machine-0"), 0o700), os.Mkdir(statesrv.Dir(dir), 0o700), undo())
		unlock()
		if err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := os.ReadDir(kept); err != nil || len(entries) > 0 {
		t.Errorf("%v is left: %v", entries, err)
	}
	if _, err := os.Stat(made); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is left: %v", err)
	}
}

func TestBootstrapLeavesAnotherOnesDirectoryAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newClient(t).bootstraps(dir); err == nil {
		t.Fatal("it was made")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v: %v", entries, err)
	}
}

// The files and their modes are those that every version so far has read.
func TestFilesOfABootstrap(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "0")
	if _, err := newClient(t).bootstraps(dir); err != nil {
		t.Fatal(err)
	}
	var modes []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, infoErr := d.Info()
			rel, _ := filepath.Rel(dir, path)
			modes, err = append(modes, info.Mode().String()+" "+rel), infoErr
		}
		return err
	})
	want := []string{
		"-rw------- agents/machine-0/agent.conf", "-rw------- agents/machine-0/agent.creds",
		"-rw------- agents/machine-0/ca.pem", "-rw------- agents/machine-0/enrol.creds", "-rw------- lock",
		"-rw------- server/log.key", "-rw------- server/server.yaml", "-rw------- server/site-first.json",
		"-rw------- server/site.json", "-rw------- server/state-server.creds", "-rw------- server/trust.json",
	}
	got, _ := json.Marshal(modes)
	wanted, _ := json.Marshal(want)
	if err != nil || !bytes.Equal(got, wanted) {
		t.Errorf("%v\n%s, want\n%s", err, got, wanted)
	}
}

// Two bootstraps find a directory empty. The second one to write is refused, and leaves what the
// first one made.
func TestTwoBootstrapsOfOneDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "0")
	first, second := newClient(t), newClient(t)
	sign := second.sign
	second.sign = func(k bootstrap.Keys) (bootstrap.Signed, error) {
		if _, err := first.bootstraps(dir); err != nil {
			t.Errorf("the first: %v", err)
		}
		return sign(k)
	}
	if _, err := second.bootstraps(dir); err == nil || !strings.Contains(err.Error(), "it is not empty; nothing was changed") {
		t.Errorf("the second: %v", err)
	}
	if !statesrv.IsStateServer(dir) {
		t.Error("the first one's environment is gone")
	}
}
