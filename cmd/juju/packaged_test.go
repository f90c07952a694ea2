package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// build makes juju with those build tags.
func build(t *testing.T, tags string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "juju")
	if out, err := exec.Command("go", "build", "-tags", tags, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// try runs a command line and returns what was printed and the exit code.
func try(t *testing.T, program string, args ...string) (out string, code int) {
	t.Helper()
	b, err := exec.Command(program, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return string(b), code
}

// The demo is a command of a juju that is built from source. The juju that people install does
// not have the command, its help does not name it, and it does not link packages of sim.
func TestPackagedJujuHasNoDemo(t *testing.T) {
	source, packaged := build(t, ""), build(t, "packaged")
	for _, command := range []string{"demo", "demo-workload"} {
		if out, code := try(t, source, "help", command); code != 0 || !strings.Contains(out, "juju "+command) {
			t.Errorf("from source, juju help %s: exit %d\n%s", command, code, out)
		}
		for _, line := range [][]string{{command}, {"help", command}} {
			if out, code := try(t, packaged, line...); code != 2 {
				t.Errorf("packaged, juju %s: exit %d\n%s", strings.Join(line, " "), code, out)
			}
		}
	}
	for _, help := range []string{"help", "help topics", "help bootstrap", "completion bash", "__complete d"} {
		out, code := try(t, packaged, strings.Fields(help)...)
		if code != 0 || strings.Contains(out, "demo") {
			t.Errorf("juju %s: exit %d, and it may not name the demo:\n%s", help, code, out)
		}
	}
	deps, err := exec.Command("go", "list", "-tags", "packaged", "-deps", ".").Output()
	if err != nil || strings.Contains(string(deps), "/jujube/sim/") {
		t.Errorf("packaged juju links packages of sim: %v", err)
	}
}
