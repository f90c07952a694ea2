package launcher_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/launcher"
	"github.com/jujube-project/jujube/events"
)

func TestAnAgentThatFallsSilentIsStartedAgain(t *testing.T) {
	m := newMachine(t)
	m.version(old, "falls silent")
	check(t, m.l.Switch(old))
	stop := m.launch(launcher.Timing{Silence: 300 * time.Millisecond, Stop: time.Second})
	m.wait(old + " started")
	m.wait(old + " started")
	stop()
}

// An agent of an earlier release never says that it is alive, and is left alone.
func TestAgentsOfEarlierReleasesAreUnderstood(t *testing.T) {
	transcripts, err := filepath.Abs("../pipe/testdata")
	check(t, err)
	t.Setenv("TRANSCRIPTS", transcripts)
	m := newMachine(t)
	m.version(old, "good")
	m.version(newer, "of 1.25.1")
	check(t, m.l.Switch(newer))
	m.trial()
	stop := m.launch(launcher.Timing{Silence: 100 * time.Millisecond})
	m.wait(newer + " recited")
	select {
	case got := <-m.told:
		t.Errorf("then came %q", got)
	case <-time.After(time.Second):
	}
	stop()
	if j := m.journal(); j.Phase != install.PhaseCommitted {
		t.Errorf("the journal is %+v", j)
	}
}

func TestAnAgentBeginsATrial(t *testing.T) {
	m := newMachine(t)
	m.version(old, "begins a trial")
	m.version(newer, "good")
	check(t, m.l.Switch(old))
	stop := m.launch(launcher.Timing{})
	m.wait(newer + " committed o1")
	stop()
}

// While the last good version cannot reach the bus either, a trial goes on.
func TestATrialOutlastsAnOutage(t *testing.T) {
	m := newMachine(t)
	m.version(old, "good")
	m.version(newer, "good")
	check(t, m.l.Switch(newer), os.WriteFile(filepath.Join(m.l.Dir, "bus-is-away"), nil, 0o600))
	m.trial()
	stop := m.launch(launcher.Timing{Trial: 200 * time.Millisecond, Attempts: 1})
	for range 3 {
		m.wait(old + " probed in vain")
	}
	check(t, os.Remove(filepath.Join(m.l.Dir, "bus-is-away")))
	m.wait(newer + " committed o1")
	stop()
}

func TestAVersionThatDiesOnceKeptIsTakenBack(t *testing.T) {
	m := newMachine(t)
	m.version(old, "good")
	m.version(newer, "dies when kept")
	check(t, m.l.Switch(newer))
	m.trial()
	stop := m.launch(launcher.Timing{Attempts: 2})
	m.wait(old + " started")
	stop()
	j := m.journal()
	if j.Phase != install.PhaseRolledBack || j.Good != old || j.Order == nil || j.Denied["d"] == "" ||
		j.Failure == nil || j.Failure.Step != events.StepAfterCommit {
		t.Errorf("the journal is %+v with %+v", j, j.Failure)
	}
}

func TestARollBackWhoseGoalIsDamagedUsesTheInstalledCopy(t *testing.T) {
	const good = "1.24.1-trusty-amd64"
	m := newMachine(t)
	m.version(old, "good") // the installed copy's own version
	m.version(good, "good")
	m.version(newer, "exits")
	check(t, m.l.Switch(newer))
	m.trial()
	j := m.journal()
	j.Good = good
	check(t, m.l.WriteJournal(j), os.WriteFile(filepath.Join(m.l.Version(good), "jujud"), []byte("x"), 0o755))
	stop := m.launch(launcher.Timing{Attempts: 1})
	m.wait(old + " started")
	stop()
	if j := m.journal(); j.Phase != install.PhaseRolledBack || j.Good != old {
		t.Errorf("the journal is %+v", j)
	}
}

func TestSystemdHearsOfReadyAliveAndStopping(t *testing.T) {
	m := newMachine(t)
	m.version(old, "good")
	check(t, m.l.Switch(old))
	socket := filepath.Join(m.l.Dir, "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	check(t, err)
	defer func() { _ = systemd.Close() }()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "300000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	hears := func(want string) {
		t.Helper()
		check(t, systemd.SetReadDeadline(time.Now().Add(30*time.Second)))
		for b := make([]byte, 1000); ; {
			n, err := systemd.Read(b)
			check(t, err)
			if strings.Contains(string(b[:n]), want) {
				return
			}
		}
	}
	stop := m.launch(launcher.Timing{})
	for _, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
		hears(want)
	}
	stop()
	hears("STOPPING=1")
}

func TestSignalsGoToTheAgent(t *testing.T) {
	m := newMachine(t)
	m.version(old, "good")
	check(t, m.l.Switch(old))
	stop := m.launch(launcher.Timing{})
	m.wait(old + " started")
	check(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	<-m.gone
	m.wait(old + " started")
	stop()
}

// When a launcher is killed, its agent dies with it. The next launcher starts another agent.
func TestALauncherIsKilled(t *testing.T) {
	exe, err := os.Executable()
	check(t, err)
	m := newMachine(t)
	m.version(old, "good")
	check(t, m.l.Switch(old))
	for range 3 {
		cmd := exec.Command(exe, "launcher", m.l.Dir)
		check(t, cmd.Start())
		m.wait(old + " started")
		check(t, cmd.Process.Kill())
		_ = cmd.Wait()
		<-m.gone
	}
}
