//go:build compose

package compose

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/projections/audit"
	"github.com/jujube-project/jujube/projections/status"
)

// The versions of the test. Containers have no /etc/os-release: their series is
// genericlinux.
const (
	before   = "1.24.1"
	after    = "1.25.1"
	platform = "-genericlinux-" + runtime.GOARCH
)

// TestUpgradeOfContainers plays one upgrade. The container of machine 2 is killed in the middle of
// its trial and comes back. Then the same happens to the state server's container.
func TestUpgradeOfContainers(t *testing.T) {
	if out, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		t.Skipf("NOT RUN: no Docker engine answers here: %s", bytes.TrimSpace(out))
	}
	c := start(t)
	if st := c.wait(); countRunning(st, before) != 4 {
		t.Fatalf("not four machines on %s: %+v", before, st.Machines)
	}
	c.juju("set-env", "upgrade-max-in-flight=1", "upgrade-health-window=3s")
	c.juju("deploy", "web", "--to", "1", "--", "juju", "demo-workload")
	c.juju("trust", "publishers", "--add-signer", c.publishing("metadata", "key"))
	c.juju("sync-tools", "--source", "/tools", "--version", "1.25")

	c.killDuringUpgrade("machine-2")
	st := c.status()
	if countRunning(st, after) != 4 || st.Environment.AgentVersion != after {
		t.Errorf("not four machines on %s: %+v", after, st.Machines)
	}
	c.compose("kill", "state-server")
	c.compose("start", "state-server")
	again := c.wait()
	if countRunning(again, after) != 4 {
		t.Errorf("after the state server came back, not four machines on %s: %+v", after, again.Machines)
	}
	if web, ok := again.Services.Get("web"); !ok || web.ServiceStatus.Current != status.WorkloadActive {
		t.Errorf("the service web is not active: %+v", again.Services)
	}
	c.juju("audit", "verify")
	c.everyOrderEndedOnce(4)
}

// containers is an environment that docker compose runs.
type containers struct {
	publisher string // JUJU_DATA of the publisher of tools
	t         *testing.T
	command   []string // docker compose, or docker-compose
	root      string   // of the module
	env       []string
}

// start builds the image and the tools and brings everything up.
func start(t *testing.T) *containers {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	command := strings.Fields(os.Getenv("COMPOSE"))
	if len(command) == 0 {
		command = []string{"docker-compose"}
	}
	c := &containers{t: t, command: command, root: root}
	dir := t.TempDir()
	tools := filepath.Join(dir, "tools")
	c.env = append(os.Environ(), "COMPOSE_PROJECT_NAME=jujube-compose-test", "JUJUBE_IMAGE=jujube-compose-test", "JUJUBE_TOOLS="+tools)
	c.image(dir)
	c.publish(tools)
	c.compose("down", "-v", "--remove-orphans")
	t.Cleanup(func() {
		if t.Failed() {
			c.tryCompose(os.Stderr, "logs", "--tail", "40")
		}
		c.tryCompose(io.Discard, "down", "-v", "--remove-orphans")
	})
	c.compose("up", "-d")
	return c
}

// image puts the static binaries of the older version into an image.
func (c *containers) image(dir string) {
	c.build(before, filepath.Join(dir, "dist")+"/", "./cmd/juju", "./cmd/jujud")
	dockerfile, err := os.ReadFile(filepath.Join(c.root, "Dockerfile"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "Dockerfile"), dockerfile, 0o644)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.run(exec.Command("docker", "build", "-q", "-t", "jujube-compose-test", dir))
}

// publish makes a tree with the newer version. juju itself packs it.
func (c *containers) publish(tools string) {
	dir := c.t.TempDir()
	c.build(after, filepath.Join(dir, "jujud"), "./cmd/jujud")
	released := filepath.Join(tools, "tools", "released")
	if err := os.MkdirAll(released, 0o755); err != nil {
		c.t.Fatal(err)
	}
	c.run(exec.Command("tar", "-C", dir, "--format", "ustar", "-czf", filepath.Join(released, "juju-"+after+platform+".tgz"), "jujud"))
	c.publisher = filepath.Join(dir, "publisher")
	c.publishing("metadata", "generate-tools", "-d", tools)
}

// publishing runs juju as the publisher of tools, who is somebody else than the operator.
func (c *containers) publishing(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("go", append([]string{"run", "./cmd/juju"}, args...)...)
	cmd.Dir, cmd.Env = c.root, append(os.Environ(), "JUJU_DATA="+c.publisher)
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("juju %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

func (c *containers) build(version, out string, packages ...string) {
	cmd := exec.Command("go", append([]string{
		"build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X github.com/jujube-project/jujube/events/version.stamp=jujube-version/" + version + "/", "-o", out,
	}, packages...)...)
	cmd.Dir, cmd.Env = c.root, append(os.Environ(), "CGO_ENABLED=0")
	c.run(cmd)
}

// killDuringUpgrade upgrades the environment and kills the machine when it restarts into the new
// version. The machine is started again and must end its trial well.
func (c *containers) killDuringUpgrade(machine string) {
	upgrade := c.composeCommand("run", "--rm", "-T", "juju", "upgrade-juju", "--yes", "--wait")
	lines, err := upgrade.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	upgrade.Stderr = upgrade.Stdout // juju tells the progress on stderr
	if err := upgrade.Start(); err != nil {
		c.t.Fatal(err)
	}
	killed := false
	for scan := bufio.NewScanner(lines); scan.Scan(); {
		line := scan.Text()
		c.t.Log(line)
		if !killed && strings.Contains(line, "agent.restarting") && strings.Contains(line, machine+" ") {
			killed = true
			c.compose("kill", machine)
			c.compose("start", machine)
		}
	}
	if err := upgrade.Wait(); err != nil || !killed {
		c.t.Fatalf("upgrade-juju --wait: %v; %s was killed in the middle: %v", err, machine, killed)
	}
}

// everyOrderEndedOnce reads the audit log and checks that every order has exactly one end.
func (c *containers) everyOrderEndedOnce(orders int) {
	out := c.juju("audit", "log", "--format", "jsonl")
	issued, ended := 0, 0
	for line := range strings.Lines(out) {
		var e audit.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			continue // what docker compose says of its network
		}
		switch strings.TrimSuffix(e.What, "/1") {
		case "order.issued":
			issued++
		case "agent.upgraded":
			ended++
		case "agent.rolled_back", "agent.upgrade_failed", "order.timed_out", "order.superseded":
			c.t.Errorf("%d: %s: %s", e.Seq, e.What, e.Why)
		}
	}
	if issued != orders || ended != orders {
		c.t.Errorf("%d orders were issued and %d machines upgraded, not %d", issued, ended, orders)
	}
}

func countRunning(st status.Status, version string) int {
	n := 0
	for _, m := range st.Machines {
		if m.Value.AgentState == status.AgentStarted && m.Value.AgentVersion == version {
			n++
		}
	}
	return n
}

func (c *containers) status() status.Status {
	c.t.Helper()
	st, err := status.Parse([]byte(c.juju("status", "--format", "json")))
	if err != nil {
		c.t.Fatal(err)
	}
	return st
}

// patience is how long containers may take to come up.
const patience = 2 * time.Minute

// wait asks for the status until four machines are started, and returns it.
func (c *containers) wait() status.Status {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		out, err := c.composeCommand("run", "--rm", "-T", "juju", "status", "--format", "json").Output()
		if err == nil {
			var st status.Status
			if st, err = status.Parse(out); err == nil && countStarted(st) == 4 {
				return st
			}
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			c.t.Fatalf("no four machines are started: %v\n%s", err, out)
		}
	}
}

func countStarted(st status.Status) int {
	n := 0
	for _, m := range st.Machines {
		if m.Value.AgentState == status.AgentStarted {
			n++
		}
	}
	return n
}

// juju runs a command in a container of its own and returns its standard output.
func (c *containers) juju(args ...string) string {
	c.t.Helper()
	c.t.Log("$ juju", strings.Join(args, " "))
	return c.run(c.composeCommand(append([]string{"run", "--rm", "-T", "juju"}, args...)...))
}

func (c *containers) compose(args ...string) {
	c.t.Helper()
	c.t.Log("$", strings.Join(c.command, " "), strings.Join(args, " "))
	c.run(c.composeCommand(args...))
}

func (c *containers) tryCompose(out io.Writer, args ...string) {
	cmd := c.composeCommand(args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		c.t.Logf("%s: %v", args, err)
	}
}

func (c *containers) composeCommand(args ...string) *exec.Cmd {
	all := append(append([]string{}, c.command[1:]...), args...)
	cmd := exec.Command(c.command[0], all...)
	cmd.Dir, cmd.Env = c.root, c.env
	return cmd
}

func (c *containers) run(cmd *exec.Cmd) string {
	c.t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		c.t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out.String(), errs.String())
	}
	return out.String()
}
