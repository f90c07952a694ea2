package environment

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// directives are what a unit file sets, without its comments.
func directives(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

func docUnit(t *testing.T, role string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "systemd", "jujud-"+role+".service"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The units in docs are the ones that juju bootstrap --systemd prints, and hardened.
func TestSystemdUnits(t *testing.T) {
	for _, role := range []string{"machine", "state-server"} {
		docs := directives(docUnit(t, role))
		limit := regexp.MustCompile(`^LimitNOFILE=`).MatchString // a machine has fewer connections
		printed := slices.DeleteFunc(directives(systemdUnit(role, "/usr/local/bin/jujud", "/var/lib/juju")), limit)
		if got := slices.DeleteFunc(slices.Clone(docs), limit); !slices.Equal(got, printed) {
			t.Errorf("docs/systemd/jujud-%s.service:\n%s\nis not what bootstrap prints:\n%s", role, strings.Join(got, "\n"), strings.Join(printed, "\n"))
		}
		for _, want := range []string{
			"ProtectSystem=strict", "ReadWritePaths=/var/lib/juju", "NoNewPrivileges=yes", "RestrictSUIDSGID=yes", "ProtectKernelModules=yes",
			"ProtectKernelTunables=yes", "ProtectKernelLogs=yes", "ProtectControlGroups=yes", "ProtectClock=yes", "ProtectHostname=yes", "LockPersonality=yes",
			"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK", "SystemCallArchitectures=native", "MemoryMax=90%", "TasksMax=16384",
			"Type=notify", "WatchdogSec=60", "KillMode=process", "Restart=always",
		} {
			if !slices.Contains(docs, want) {
				t.Errorf("jujud-%s.service lacks %s", role, want)
			}
		}
	}
}

// systemd itself takes the units, knows every word, and finds an exposure of at most 7.5 of 10.
func TestSystemdTakesTheUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here: what systemd says of the units is not shown")
	}
	for _, role := range []string{"machine", "state-server"} {
		unit := filepath.Join(t.TempDir(), "jujud-"+role+".service")
		text := strings.ReplaceAll(docUnit(t, role), "/usr/local/bin/jujud", "/bin/true")
		if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(analyze, "verify", "--recursive-errors=no", unit).CombinedOutput()
		if err != nil || strings.Contains(string(out), "Unknown key") {
			t.Errorf("systemd-analyze verify %s: %v\n%s", role, err, out)
		}
		out, err = exec.Command(analyze, "security", "--offline=true", "--threshold=75", "--no-pager", unit).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze security %s: %v\n%s", role, err, out)
		}
	}
}
