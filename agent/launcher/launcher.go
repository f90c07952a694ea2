package launcher

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/launcher/process"
	"github.com/jujube-project/jujube/host"
)

// Config is what a launcher needs.
type Config struct {
	Layout    install.Layout
	Exe       string // the installed copy: this very program
	Version   string // its binary version
	Workloads string // what becomes of them at the end: pipe.WorkloadsStop (if empty) or pipe.WorkloadsKeep
	Logger    *slog.Logger
	Timing    Timing
}

// Timing bounds what the launcher waits for. Zero fields take the defaults.
type Timing struct {
	Ready    time.Duration // from start to ready; 30 s
	Silence  time.Duration // since an agent last said that it is alive; 30 s
	Trial    time.Duration // from the trial's start to healthy, beyond the order's window; 60 s
	Settle   time.Duration // how long a version must run after its commit before it is beyond doubt; 5 min
	Stop     time.Duration // from the word to stop to SIGKILL; 20 s
	Backoff  time.Duration // first pause before a restart after a crash, doubling to a minute; 1 s
	Attempts int           // starts of a version on trial, crashes of one just committed; 3
}

func (t Timing) orDefaults() Timing {
	t.Ready = cmp.Or(t.Ready, 30*time.Second)
	t.Silence = cmp.Or(t.Silence, 30*time.Second)
	t.Trial = cmp.Or(t.Trial, time.Minute)
	t.Settle = cmp.Or(t.Settle, 5*time.Minute)
	t.Stop = cmp.Or(t.Stop, 20*time.Second)
	t.Backoff = cmp.Or(t.Backoff, time.Second)
	t.Attempts = cmp.Or(t.Attempts, 3)
	return t
}

// launcher is one run of Launch.
type launcher struct {
	cfg      Config
	l        install.Layout
	reaper   *process.Reaper
	signals  chan os.Signal   // for the agent
	pings    <-chan time.Time // when systemd's watchdog wants to hear of us
	unsaved  *install.Journal // one that could not be written
	restarts int
	crashes  int    // in a row, of a version that is not on trial
	unready  string // until an agent was ready: tells who waits for it not to wait on
}

// Launch runs the machine's agent until ctx ends. It returns an error only when it
// cannot begin: the directory is locked or cannot be written. An agent dies with the
// thread that started it, hence with this process, so that there are never two.
func Launch(ctx context.Context, cfg Config) error {
	cfg.Timing = cfg.Timing.orDefaults()
	l := &launcher{cfg: cfg, l: cfg.Layout, signals: make(chan os.Signal, 4), unready: "ERRNO=1\n"}
	unlock, err := l.l.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.l.Prepare(); err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if l.reaper, err = process.NewReaper(); err != nil {
		return err
	}
	defer l.reaper.Close()
	signal.Notify(l.signals, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // whoever read our output may leave
	defer signal.Stop(l.signals)
	if every, err := daemon.SdWatchdogEnabled(false); err == nil && every > 0 {
		l.pings = time.Tick(every / 3)
	}
	for ctx.Err() == nil {
		l.pause(ctx, l.once(ctx))
	}
	return nil
}

// once starts the agent, waits for its end, and says how long to pause before the next.
func (l *launcher) once(ctx context.Context) (pause time.Duration) {
	j := l.converge()
	name, exe, err := l.choose(j)
	if err != nil {
		l.cfg.Logger.Error("no version can be run", "err", err)
		return l.backoff()
	}
	r := l.run(ctx, name, exe, j)
	if l.restarts++; ctx.Err() != nil {
		return 0
	}
	if soon := l.judge(r); soon && !r.Asked {
		return l.cfg.Timing.Backoff / 4
	}
	if r.Asked || r.Lasted > l.cfg.Timing.Settle {
		l.crashes = 0
	}
	if r.Asked {
		return 0
	}
	l.cfg.Logger.Warn("the agent ended", "version", name, "how", r.Failure.Text)
	l.notify(l.unready + "STATUS=The agent ended, and is started again: " + r.Failure.Text)
	return l.backoff()
}

func (l *launcher) backoff() time.Duration {
	l.crashes++
	return host.Backoff{Min: l.cfg.Timing.Backoff, Max: time.Minute}.Pause(l.crashes - 1)
}

func (l *launcher) pause(ctx context.Context, d time.Duration) {
	for end := time.After(d); ; {
		select {
		case <-l.pings:
			l.notify(daemon.SdNotifyWatchdog)
		case <-end:
			return
		case <-ctx.Done():
			return
		}
	}
}

// choose opens what to run: the version behind the link, else the last good one, else
// the installed copy, as a version if the disk allows it and by itself if not.
func (l *launcher) choose(j install.Journal) (name string, exe host.File, err error) {
	current, err := l.l.Current()
	if err == nil {
		if exe, err = l.l.Program(current); err == nil {
			return current, exe, nil
		}
	}
	l.cfg.Logger.Warn("the current version cannot be run", "err", err)
	if j.Good != "" && l.l.Switch(j.Good) == nil {
		if exe, err = l.l.Program(j.Good); err == nil {
			return j.Good, exe, nil
		}
	}
	if err := l.l.Install(l.cfg.Exe, l.cfg.Version); err != nil {
		l.cfg.Logger.Error("running the installed copy in its place", "err", err)
		exe, err := l.l.Installed(l.cfg.Exe)
		return l.cfg.Version, exe, err
	}
	exe, err = l.l.Program(l.cfg.Version)
	return l.cfg.Version, exe, err
}

// notify speaks to systemd, or to whoever started this and listens like it, if anybody.
func (l *launcher) notify(state string) { _, _ = daemon.SdNotify(false, state) }
