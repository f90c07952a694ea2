// Package hosts runs whole environments of real processes on this host, for measurements and kill
// loops. It builds juju and jujud into a directory of their own. It starts a launcher again when
// that ends, as systemd does. It reads the real log.
package hosts

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections/status"
)

const module = "github.com/jujube-project/jujube"

// Environment is one environment on this host.
type Environment struct {
	Dir  string // everything is below this directory
	Name string
}

// Build makes juju of the last version, and jujud of each.
func Build(ctx context.Context, dir, name string, versions ...string) (*Environment, error) {
	e := &Environment{Dir: dir, Name: name}
	make := func(out, program, v string) error {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
			"-ldflags", "-s -w -X "+module+"/events/version.stamp="+version.Stamp(v), "-o", out, module+"/cmd/"+program)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if b, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s %s: %w\n%s", program, v, err, b)
		}
		return nil
	}
	for _, v := range versions {
		if err := make(e.Jujud(v), "jujud", v); err != nil {
			return nil, err
		}
	}
	return e, make(e.path("bin", "juju"), "juju", versions[len(versions)-1])
}

func (e *Environment) path(parts ...string) string {
	return filepath.Join(append([]string{e.Dir}, parts...)...)
}

// Jujud is the program of a version.
func (e *Environment) Jujud(v string) string { return e.path("bin", "jujud-"+v) }

// DataDir is the data directory of a machine.
func (e *Environment) DataDir(machine string) string {
	return e.path("client", "machines", e.Name, machine)
}

// Juju runs a command of juju and returns its standard output. If it fails, the error has what it
// printed on stderr.
func (e *Environment) Juju(ctx context.Context, args ...string) ([]byte, error) {
	var out, messages bytes.Buffer
	cmd := exec.CommandContext(ctx, e.path("bin", "juju"), args...)
	cmd.Env = append(os.Environ(), "JUJU_DATA="+e.path("client"))
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("juju %s: %w\n%s%s", strings.Join(args, " "), err, out.Bytes(), messages.Bytes())
	}
	return out.Bytes(), nil
}

// Each runs commands of juju, one after the other, until one fails. The words of a command are
// separated by spaces.
func (e *Environment) Each(ctx context.Context, commands ...string) error {
	for _, c := range commands {
		if _, err := e.Juju(ctx, strings.Fields(c)...); err != nil {
			return err
		}
	}
	return nil
}

// Publish packs versions into a tree of tools and copies them into the environment.
func (e *Environment) Publish(ctx context.Context, versions ...string) error {
	released := e.path("tree", "tools", "released")
	if err := os.MkdirAll(released, 0o755); err != nil {
		return err
	}
	for _, v := range versions {
		if err := e.pack(released, v); err != nil {
			return fmt.Errorf("pack %s: %w", v, err)
		}
	}
	return e.Each(ctx, "metadata generate-tools -d "+e.path("tree"), "sync-tools --all --source "+e.path("tree"))
}

func (e *Environment) pack(dir, v string) error {
	n, err := version.Parse(v)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(e.Jujud(v))
	if err != nil {
		return err
	}
	series, arch := host.Platform()
	out, err := os.Create(filepath.Join(dir, "juju-"+version.Binary{Number: n, Series: series, Arch: arch}.String()+".tgz"))
	if err != nil {
		return err
	}
	err = archive.PackAt(gzip.BestSpeed, out, archive.File{Name: archive.Jujud, Size: int64(len(b)), Body: bytes.NewReader(b)})
	return errors.Join(err, out.Close())
}

// Status is what juju status says.
func (e *Environment) Status(ctx context.Context) (status.Status, error) {
	b, err := e.Juju(ctx, "status", "--format", "json")
	if err != nil {
		return status.Status{}, err
	}
	return status.Parse(b)
}

// Log calls f with every record of the log.
func (e *Environment) Log(ctx context.Context, f func(events.Record, events.Payload)) error {
	conf, err := agent.LoadConf(e.DataDir("0"))
	if err != nil {
		return err
	}
	trust, err := server.LoadAccounts(filepath.Join(e.DataDir("0"), "server", "trust.json"))
	if err != nil {
		return err
	}
	id, err := bus.NewIdentity()
	if err != nil {
		return err
	}
	jwt, err := trust.StateServerJWT("state-server-1", id.Public())
	if err != nil {
		return err
	}
	conn, err := bus.Connect(ctx, bus.ConnConfig{
		URLs: conf.APIAddresses, Authorities: conf.AuthoritiesFile(), Credentials: bus.Credentials{JWT: jwt, Seed: string(id.Seed())}, Name: "reader",
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	last, err := conn.Log().Last(ctx)
	if err != nil {
		return err
	}
	for rec, err := range conn.Log().Read(ctx, 1, last) {
		if err != nil {
			return err
		}
		payload, err := events.Decode(rec)
		if err != nil {
			return err
		}
		f(rec, payload)
	}
	return nil
}
