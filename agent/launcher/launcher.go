package launcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent/install"
)

// What happens to workloads when the launcher is stopped.
const (
	WorkloadsStop = "stop"
	WorkloadsKeep = "keep"
)

// Config is what a launcher needs.
type Config struct {
	Layout    install.Layout
	Exe       string // the installed copy: this very program
	Version   string // its binary version
	Workloads string // WorkloadsStop or WorkloadsKeep; empty: stop
	Logger    *slog.Logger
	Timing    Timing
}

// Timing bounds what the launcher waits for. Zero fields take the defaults.
type Timing struct {
	Ready    time.Duration // from start to ready; 30 s
	Trial    time.Duration // from the trial's start to healthy, beyond the order's window; 90 s
	Stop     time.Duration // from SIGTERM to SIGKILL; 20 s
	Backoff  time.Duration // first pause before a restart after a crash, doubling to a minute; 1 s
	Attempts int           // starts of a version on trial; 3
}

func (t Timing) orDefaults() Timing {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&t.Ready, 30*time.Second)
	def(&t.Trial, 90*time.Second)
	def(&t.Stop, 20*time.Second)
	def(&t.Backoff, time.Second)
	if t.Attempts == 0 {
		t.Attempts = 3
	}
	return t
}

// launcher is one run of Launch.
type launcher struct {
	cfg      Config
	l        install.Layout
	reaper   *reaper
	restarts int
	crashes  int // in a row, of a version that is not on trial
	notified bool
}

// ErrLocked: another launcher runs on the same data directory.
var ErrLocked = errors.New("another jujud runs on this data directory")

// Launch runs the machine's agent until ctx ends. It returns an error only when it
// cannot begin: the directory is locked, cannot be written, or holds no version.
func Launch(ctx context.Context, cfg Config) error {
	cfg.Timing = cfg.Timing.orDefaults()
	l := &launcher{cfg: cfg, l: cfg.Layout}
	unlock, err := lock(cfg.Layout.LockFile())
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.prepare(); err != nil {
		return err
	}
	if l.reaper, err = startReaper(); err != nil {
		return err
	}
	defer l.reaper.stop()
	for ctx.Err() == nil {
		pause := l.once(ctx)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	l.notify(daemon.SdNotifyStopping)
	return nil
}

// lock takes the data directory for this process; the kernel gives it back when the
// process ends, however it does.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder := make([]byte, 20)
		n, _ := f.Read(holder)
		return nil, fmt.Errorf("%w: %s is held by process %s; nothing was changed", errors.Join(ErrLocked, f.Close()), path, strings.TrimSpace(string(holder[:n])))
	}
	if err := errors.Join(f.Truncate(0), writeAt(f, fmt.Sprintln(os.Getpid()))); err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	return func() { _ = f.Close() }, nil
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

// prepare makes sure that there is a version to run: at the first start it installs the
// running copy.
func (l *launcher) prepare() error {
	if err := l.l.Prepare(); err != nil {
		return err
	}
	if current, err := l.l.Current(); err == nil {
		if _, err := l.l.Verify(current); err == nil {
			return nil
		}
	}
	j, err := l.l.ReadJournal()
	if err == nil && j.Good != "" && l.l.Switch(j.Good) == nil {
		l.cfg.Logger.Warn("the link led nowhere; went back to the last good version", "version", j.Good)
		return nil
	}
	if err := l.l.Install(l.cfg.Exe, l.cfg.Version); err != nil {
		return err
	}
	if j.Good == "" {
		j.Good = l.cfg.Version
		return l.l.WriteJournal(j)
	}
	return nil
}

// once starts the agent, waits for its end, and says how long to pause before the next.
func (l *launcher) once(ctx context.Context) (pause time.Duration) {
	j := l.converge()
	current, err := l.l.Current()
	if err == nil {
		_, err = l.l.Verify(current)
	}
	if err != nil {
		l.cfg.Logger.Error("the current version cannot be run", "err", err)
		if err := l.prepare(); err != nil {
			l.cfg.Logger.Error("no version can be run", "err", err)
			return l.backoff()
		}
		return 0
	}
	end := l.run(ctx, current, j)
	l.restarts++
	switch {
	case ctx.Err() != nil:
		return 0
	case j.Phase == install.PhaseTrial && j.Trial != nil && j.Trial.Attempts > l.cfg.Timing.Attempts:
		return l.backoff() // there is no way back from it: it is tried for ever
	case j.Phase == install.PhaseTrial:
		return l.cfg.Timing.Backoff / 4
	case end.asked:
		l.crashes = 0
		return 0
	}
	l.cfg.Logger.Warn("the agent ended", "version", current, "how", end.how)
	if !l.notified {
		l.notify("ERRNO=1\nSTATUS=The agent cannot start; it is tried again.")
	}
	return l.backoff()
}

func (l *launcher) backoff() time.Duration {
	l.crashes++
	return min(l.cfg.Timing.Backoff<<min(l.crashes-1, 6), time.Minute)
}

// notify speaks to systemd, or to whoever started this and listens like it.
func (l *launcher) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		l.cfg.Logger.Debug("notifying", "err", err)
	}
}

func (l *launcher) ready() {
	if !l.notified {
		l.notify(daemon.SdNotifyReady)
		l.notified = true
	}
}
