package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
)

// programs are real builds of juju and jujud, with a JUJU_DATA directory of their own.
type programs struct {
	dir string
}

func buildPrograms(ctx context.Context, dir string) (*programs, error) {
	out, err := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(dir, "bin")+"/",
		"github.com/jujube-project/jujube/cmd/juju", "github.com/jujube-project/jujube/cmd/jujud").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("build juju and jujud: %w\n%s", err, out)
	}
	return &programs{dir}, nil
}

func (p *programs) juju(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(p.dir, "bin", "juju"), args...)
	cmd.Env = append(os.Environ(), "JUJU_DATA="+filepath.Join(p.dir, "client"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("juju %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (p *programs) destroy(ctx context.Context) error {
	return p.juju(context.WithoutCancel(ctx), "destroy-environment", "bench", "--yes")
}

func (p *programs) dataDir(machine string) string {
	return filepath.Join(p.dir, "client", "machines", "bench", machine)
}

// fleetStatus measures `juju status` of a large environment as a whole process.
func fleetStatus(ctx context.Context, dir string, s sizes) (figures []figure, err error) {
	p, err := buildPrograms(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := p.juju(ctx, "bootstrap", "bench"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.destroy(ctx)) }()
	if err := p.juju(ctx, "set-env", "agent-lost-after=24h"); err != nil {
		return nil, err
	}
	if err := p.enrolFleet(ctx, s.machines); err != nil {
		return nil, err
	}
	// The state server's next append conflicts; it reads what was written, and leads again.
	if err := p.juju(ctx, "set-env", "agent-lost-after=23h"); err != nil {
		return nil, err
	}
	took := map[string][]time.Duration{}
	for range s.rounds {
		for _, args := range [][]string{{"version"}, {"status"}, {"status", "--format", "summary"}} {
			start := time.Now()
			if err := p.juju(ctx, args...); err != nil {
				return nil, err
			}
			name := strings.Join(args, " ")
			took[name] = append(took[name], time.Since(start))
		}
	}
	whole, summary, nothing := median(took["status"]), median(took["status --format summary"]), median(took["version"])
	used, err := memoryOf(p.dataDir("0"))
	if err != nil {
		return nil, err
	}
	yard := "juju version, the same process doing nothing: " + ms(nothing)
	return []figure{
		{fmt.Sprintf("juju status, %d machines, whole process", s.machines), ms(whole), yard, fmt.Sprintf("%.1f ×", whole.Seconds()/nothing.Seconds()), "< 150 ms"},
		{"juju status --format summary", ms(summary), yard, fmt.Sprintf("%.1f ×", summary.Seconds()/nothing.Seconds()), ""},
		{fmt.Sprintf("state server with %d machines: memory", s.machines), used.String(), "", "", "stated"},
	}, nil
}

// enrolFleet writes machines straight into the log, past the state server. It is a second writer,
// as another state server would be.
func (p *programs) enrolFleet(ctx context.Context, n int) error {
	trust, err := server.LoadAccounts(filepath.Join(p.dataDir("0"), "server", "trust.json"))
	if err != nil {
		return err
	}
	creds, err := credentials(func(key string) (string, error) { return trust.StateServerJWT("state-server-1", key) })
	if err != nil {
		return err
	}
	url, err := urlOf(p.dataDir("0"))
	if err != nil {
		return err
	}
	conn, err := bus.Connect(ctx, bus.ConnConfig{
		URLs: []string{url}, Authorities: filepath.Join(p.dataDir("0"), "agents", "machine-0", "ca.pem"),
		Credentials: creds,
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	return fill(ctx, conn.Log(), enrolled(1, n, func(i int) string { return fmt.Sprint("UBENCH", i) }))
}

// urlOf finds the NATS URL in agent.conf.
func urlOf(dataDir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dataDir, "agents", "machine-0", "agent.conf"))
	if err != nil {
		return "", err
	}
	at := bytes.Index(b, []byte("tls://"))
	if at < 0 {
		return "", errors.New("agent.conf names no URL")
	}
	return string(bytes.FieldsFunc(b[at:], func(r rune) bool { return strings.ContainsRune(" \"'\r\n", r) })[0]), nil
}

// settle is how long processes do nothing before their memory is read.
const settle = 20 * time.Second

// memory measures real processes of a small environment that does nothing.
func memory(ctx context.Context, dir string, _ sizes) (figures []figure, err error) {
	p, err := buildPrograms(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := p.juju(ctx, "bootstrap", "bench"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.destroy(ctx)) }()
	if err := p.juju(ctx, "add-machine", "--local"); err != nil {
		return nil, err
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for _, m := range []struct{ id, what, target string }{
		{"1", "idle jujud machine, launcher and agent", "< 25 MiB"}, {"0", "idle one-machine state server, launcher and agent", "stated"},
	} {
		used, err := memoryOf(p.dataDir(m.id))
		if err != nil {
			return nil, err
		}
		figures = append(figures, figure{m.what, used.String(), "", "", m.target})
	}
	return figures, nil
}

// used is the memory of some processes, in bytes.
type used struct {
	pss  int64 // resident; a page that several share is divided among them
	rss  int64 // resident; a page that several share is counted for each
	anon int64 // the part of pss that is no page of the program's file
}

func (u used) String() string {
	return fmt.Sprintf("%.1f MiB, of it %.1f MiB pages of the program's file", float64(u.pss)/(1<<20), float64(u.pss-u.anon)/(1<<20))
}

// memoryOf adds up the memory of the processes whose command line ends with a data directory.
func memoryOf(dataDir string) (used, error) {
	var u used
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return u, err
	}
	for _, name := range lines {
		b, err := os.ReadFile(name)
		if err != nil || !bytes.HasSuffix(bytes.TrimRight(b, "\x00"), []byte("\x00"+dataDir)) {
			continue
		}
		roll, err := os.ReadFile(filepath.Join(filepath.Dir(name), "smaps_rollup"))
		if err != nil {
			return u, err
		}
		u.rss += kilobytes(roll, "Rss:")
		u.pss += kilobytes(roll, "Pss:")
		u.anon += kilobytes(roll, "Pss_Anon:")
	}
	if u.pss == 0 {
		return u, fmt.Errorf("no process works in %s", dataDir)
	}
	return u, nil
}

func kilobytes(roll []byte, key string) int64 {
	for line := range strings.Lines(string(roll)) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == key {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}
