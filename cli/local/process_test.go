package local

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/daemon"
)

// This test program is also the jujud that is started, and somebody else on its host.
func TestMain(m *testing.M) {
	switch what, rest, _ := strings.Cut(os.Getenv("BE_JUJUD"), " "); what {
	case "says": // says STATE: somebody else on this host
		_, _ = daemon.SdNotify(false, rest)
		os.Exit(0)
	case "spoofed": // spoofed STATE OWN: a jujud that has company
		state, own, _ := strings.Cut(rest, " ")
		other := exec.Command(os.Args[0])
		other.Env = append(os.Environ(), "BE_JUJUD=says "+state)
		if err := other.Run(); err != nil {
			os.Exit(3)
		}
		if own == "" {
			os.Exit(1)
		}
		_, _ = daemon.SdNotify(false, own)
		select {}
	}
	os.Exit(m.Run())
}

// Every process of a host can send to the socket on which a client waits for its jujud. What
// counts is only what that jujud itself says (B25).
func TestB25SomebodyElseSaysThatJujudIsReady(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ spoof, own, want string }{
		"it is not, it ends":      {"READY=1", "", "ended before it was ready"},
		"it is, and they deny it": {"ERRNO=1", "READY=1", ""},
		"it cannot start":         {"READY=1", "ERRNO=1", "cannot start"},
	} {
		t.Setenv("BE_JUJUD", strings.TrimSpace("spoofed "+c.spoof+" "+c.own))
		pid, started, err := Jujud(exe).Start(t.Context(), filepath.Join(t.TempDir(), "log"), "")
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err := Stop(pid, started); err != nil {
			t.Error(err)
		}
	}
}
