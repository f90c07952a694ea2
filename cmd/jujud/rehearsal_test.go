package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections/audit"
)

// rehearsal is the environment.
type rehearsal struct {
	t     *testing.T
	dir   string
	hosts []*rehearsedHost
	rows  []string
}

// rehearsedHost is a machine and its workload.
type rehearsedHost struct {
	badBinary
	id       string
	dir      string
	launcher *exec.Cmd
	pid      int // of the workload
	took     time.Duration
}

func (r *rehearsal) path(names ...string) string {
	return filepath.Join(append([]string{r.dir}, names...)...)
}

func (r *rehearsal) must(errs ...error) {
	r.t.Helper()
	if err := errors.Join(errs...); err != nil {
		r.t.Fatal(err)
	}
}

func newRehearsal(t *testing.T) *rehearsal {
	r := &rehearsal{t: t, dir: t.TempDir()}
	build := func(name, pkg, number string, args ...string) {
		stamp := "-s -w -X github.com/jujube-project/jujube/events/version.stamp=" + version.Stamp(number)
		args = append([]string{"build", "-trimpath", "-ldflags", stamp, "-o", r.path(name)}, args...)
		cmd := exec.Command("go", append(args, "github.com/jujube-project/jujube/cmd/"+pkg)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	build("juju", "juju", badNumber)
	build("jujud", "jujud", oldNumber)
	build("jujud-faults", "jujud", badNumber, "-tags", "faults")
	t.Cleanup(func() {
		for _, h := range r.hosts {
			if h.launcher.ProcessState == nil {
				_ = h.launcher.Process.Signal(syscall.SIGTERM)
				_ = h.launcher.Wait()
			}
		}
		if out, err := r.command("destroy-environment", "prod", "--yes").CombinedOutput(); err != nil {
			t.Errorf("destroy the environment: %v\n%s", err, out)
		}
	})
	r.juju("bootstrap", "prod", "--jujud", r.path("jujud"), "--tools-source", "none")
	r.juju("set-env", "upgrade-health-window=1500ms", "upgrade-max-in-flight=20")
	return r
}

func (r *rehearsal) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(r.t.Context()), r.path("juju"), args...)
	cmd.Env = append(os.Environ(), "JUJU_DATA="+r.path("client"))
	return cmd
}

func (r *rehearsal) juju(args ...string) string {
	r.t.Helper()
	var out, errs bytes.Buffer
	cmd := r.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		r.t.Fatalf("juju %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

func (r *rehearsal) read(name string) []byte {
	b, err := os.ReadFile(r.path(name))
	r.must(err)
	return b
}

var tokenPattern = regexp.MustCompile(`token (\d+): (\S+)`)

// join lets a machine join for each of the bad binaries, with the old version.
func (r *rehearsal) join(bad []badBinary) {
	tokens := tokenPattern.FindAllStringSubmatch(r.juju("add-machine", "-n", strconv.Itoa(len(bad))), -1)
	if len(tokens) != len(bad) {
		r.t.Fatalf("add-machine gave %d tokens, not %d", len(tokens), len(bad))
	}
	for i, b := range bad {
		r.start(b, tokens[i][1], tokens[i][2])
	}
}

func (r *rehearsal) start(b badBinary, id, token string) {
	h := &rehearsedHost{badBinary: b, id: id, dir: r.path("machine-" + id)}
	enrol := exec.Command(r.path("jujud"), "enrol", "--data-dir", h.dir)
	enrol.Stdin = strings.NewReader(token)
	if out, err := enrol.CombinedOutput(); err != nil {
		r.t.Fatalf("enrol machine %s: %v\n%s", h.id, err, out)
	}
	conf, err := agent.LoadConf(h.dir)
	conf.Values = rehearsed
	r.must(err, conf.Save(), os.WriteFile(filepath.Join(h.dir, "jujube-fault"), []byte(b.fault), 0o600))
	log, err := os.Create(r.path("machine-" + h.id + ".log"))
	r.must(err)
	h.launcher = exec.Command(r.path("jujud"), "machine", "--data-dir", h.dir)
	h.launcher.Stdout, h.launcher.Stderr = log, log
	r.must(h.launcher.Start(), log.Close())
	r.hosts = append(r.hosts, h)
}

// deploy gives every machine a workload and waits until it runs.
func (r *rehearsal) deploy() {
	for _, h := range r.hosts {
		r.juju("deploy", "w"+h.id, "--to", h.id, "--", "/bin/sh", "-c", "exec tail -f /dev/null")
	}
	for _, h := range r.hosts {
		r.until("the workload of machine "+h.id+" runs", func() bool {
			h.pid = h.workload()
			return h.pid != 0
		})
	}
}

// workload is the PID of the machine's workload; 0: none runs.
func (h *rehearsedHost) workload() int {
	var w struct{ PID int }
	b, err := os.ReadFile(filepath.Join(h.dir, "agents", "unit-w"+h.id+"-0", "workload.json"))
	if err != nil || json.Unmarshal(b, &w) != nil || syscall.Kill(w.PID, 0) != nil {
		return 0
	}
	return w.PID
}

// until looks until something holds, for at most two minutes.
func (r *rehearsal) until(what string, holds func() bool) {
	r.t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	end := time.After(2 * time.Minute)
	for !holds() {
		select {
		case <-look.C:
		case <-end:
			r.logs()
			r.t.Fatalf("never: %s", what)
		}
	}
}

func (r *rehearsal) logs() {
	for _, h := range r.hosts {
		b, err := os.ReadFile(r.path("machine-" + h.id + ".log"))
		r.must(err)
		r.t.Logf("machine %s (%s):\n%s", h.id, h.fault, b[max(0, len(b)-3000):])
	}
	r.t.Log(r.juju("audit", "log"))
}

// publish makes a jujud the tools of a version.
func (r *rehearsal) publish(number string, jujud []byte) {
	r.t.Helper()
	n, err := version.Parse(number)
	series, arch := host.Platform()
	dir := r.path("tree", "tools", "released")
	var b bytes.Buffer
	r.must(err, os.MkdirAll(dir, 0o755), archive.Pack(&b,
		archive.File{Name: archive.Jujud, Size: int64(len(jujud)), Body: bytes.NewReader(jujud)},
		archive.File{Name: archive.ForceVersion, Size: int64(len(number)), Body: strings.NewReader(number)},
	))
	name := tools.Tools{Version: version.Binary{Number: n, Series: series, Arch: arch}}.FileName()
	r.must(os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644))
	r.juju("metadata", "generate-tools", "-d", r.path("tree"))
	r.juju("sync-tools", "--source", r.path("tree"), "--version", number[:strings.LastIndexByte(number, '.')])
}

func (r *rehearsal) log() (entries []audit.Entry) {
	for line := range strings.Lines(r.juju("audit", "log", "--format", "jsonl")) {
		var e audit.Entry
		r.must(json.Unmarshal([]byte(line), &e))
		entries = append(entries, e)
	}
	return entries
}
