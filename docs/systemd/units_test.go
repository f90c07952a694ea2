package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/docs/systemd"
)

// units are the units as jujud is installed with them, by role.
func units() map[string]string {
	server, _ := systemd.StateServer("/usr/local/bin/jujud", "/var/lib/juju")
	return map[string]string{"machine": systemd.Machine, "state-server": server}
}

// directives are what a unit file sets, without its comments.
func directives(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// Both roles are supervised and confined. The state server is its own user's, without any
// privilege. A machine starts workloads of other users, and has the privileges for that.
func TestUnits(t *testing.T) {
	both := []string{
		"ProtectSystem=strict", "NoNewPrivileges=yes", "RestrictSUIDSGID=yes", "ProtectKernelModules=yes",
		"ProtectKernelTunables=yes", "ProtectKernelLogs=yes", "ProtectControlGroups=yes", "ProtectClock=yes", "ProtectHostname=yes", "LockPersonality=yes",
		"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK", "SystemCallArchitectures=native", "SystemCallErrorNumber=EPERM",
		"MemoryMax=90%", "TasksMax=16384", "Type=notify", "WatchdogSec=60", "KillMode=process", "Restart=always",
	}
	for role, own := range map[string][]string{
		"machine":      {"ReadWritePaths=/var/lib/juju", "RestrictNamespaces=pid"},
		"state-server": {"User=jujud", "UMask=0077", "StateDirectory=juju", "StateDirectoryMode=0700", "CapabilityBoundingSet=", "RestrictNamespaces=yes"},
	} {
		have := directives(units()[role])
		for _, want := range append(own, both...) {
			if !slices.Contains(have, want) {
				t.Errorf("jujud-%s.service lacks %s", role, want)
			}
		}
	}
}

// A directory below /var/lib is given to the state server's user by systemd, any other by whoever installs it.
func TestStateServerInAnotherDirectory(t *testing.T) {
	for dir, want := range map[string]struct{ keep, chown string }{
		"/var/lib/juju":      {"StateDirectory=juju", ""},
		"/var/lib/juju/prod": {"StateDirectory=juju/prod", ""},
		"/srv/juju":          {"ReadWritePaths=/srv/juju", "chown -R jujud: /srv/juju"},
		"/var/library":       {"ReadWritePaths=/var/library", "chown -R jujud: /var/library"},
	} {
		unit, before := systemd.StateServer("/opt/jujud", dir)
		lines := directives(unit)
		if !slices.Contains(lines, want.keep) || !slices.Contains(lines, "ExecStart=/opt/jujud state-server --data-dir "+dir) {
			t.Errorf("the unit of %s lacks %s, or starts something else:\n%s", dir, want.keep, unit)
		}
		if want.chown != "" != slices.Contains(before, want.chown) || before[0] != systemd.MakeUser {
			t.Errorf("before the start of %s: %q", dir, before)
		}
	}
}

// What bootstrap prints, what the unit of a machine says and what a package installs make the same users.
func TestUsers(t *testing.T) {
	b, err := os.ReadFile("jujud.sysusers.conf")
	if err != nil {
		t.Fatal(err)
	}
	var comment string
	for line := range strings.Lines(systemd.Machine) {
		if strings.Contains(line, "systemd-sysusers") {
			comment = strings.TrimSpace(line)
		}
	}
	for _, command := range []string{systemd.MakeUser, comment} {
		_, line, _ := strings.Cut(strings.TrimSuffix(command, "'"), "'")
		if line == "" || !slices.Contains(directives(string(b)), line) {
			t.Errorf("jujud.sysusers.conf lacks %q", line)
		}
	}
}

// systemd itself takes the units, knows every word, and finds them exposed no more than this, of 100.
func TestSystemdTakesTheUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here (apt-get install systemd): what systemd says of the units, and how exposed it finds them, is not shown")
	}
	threshold := map[string]string{"machine": "50", "state-server": "30"}
	for role, text := range units() {
		unit := filepath.Join(t.TempDir(), "jujud-"+role+".service")
		text = strings.ReplaceAll(text, "/usr/local/bin/jujud", "/bin/true") // verify asks for a program that exists
		if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(analyze, "verify", "--recursive-errors=no", unit).CombinedOutput()
		if err != nil || strings.Contains(string(out), "Unknown key") {
			t.Errorf("systemd-analyze verify %s: %v\n%s", role, err, out)
		}
		out, err = exec.Command(analyze, "security", "--offline=true", "--threshold="+threshold[role], "--no-pager", unit).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze security %s: %v\n%s", role, err, out)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		t.Log(role, lines[len(lines)-1])
	}
}
