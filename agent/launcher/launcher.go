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
	Exe       string // the installed copy: the program that runs now
	Version   string // the binary version of Exe
	Workloads string // what becomes of workloads at the end: pipe.WorkloadsStop (if empty) or pipe.WorkloadsKeep
	Logger    *slog.Logger
	Timing    Timing
}

// Timing bounds what the launcher waits for. Zero fields take the defaults.
type Timing struct {
	Ready    time.Duration // from start to ready; 30 s
	Silence  time.Duration // since an agent last said that it is alive; 30 s
	Trial    time.Duration // from the trial's start to healthy, beyond the order's window; 60 s
	Settle   time.Duration // how long a version must run after its commit until its crashes count no more; 5 min
	Stop     time.Duration // from the word `stop` to SIGKILL; 20 s
	Backoff  time.Duration // first pause before a restart after a crash, doubling to a minute; 1 s
	Attempts int           // how often a version on trial is started, and how often one just committed may crash; 3
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
	layout   install.Layout
	same     func() error // whether the data directory is still the one that was locked, and nobody could exchange it
	reaper   *process.Reaper
	signals  chan os.Signal   // what to pass on to the agent
	pings    <-chan time.Time // when to tell systemd's watchdog that the launcher lives
	unsaved  *install.Journal // a journal that the disk did not take; it is newer than the one on disk
	restarts int              // starts of an agent so far; the agent reports it
	crashes  int              // in a row, of a version that is not on trial
	notReady string           // a line for systemd, until an agent was ready once: do not wait any longer
}

// Launch runs the machine's agent until ctx ends. It returns an error only when it
// cannot begin: the directory is locked or cannot be written.
//
// There are never two agents on one data directory. The lock keeps out a second launcher.
// The kernel kills an agent when the thread that started it ends, so Launch stays on one
// thread, and the agent never outlives this process.
func Launch(ctx context.Context, cfg Config) error {
	cfg.Timing = cfg.Timing.orDefaults()
	unlock, same, err := cfg.Layout.Take()
	if err != nil {
		return err
	}
	defer unlock()
	l := &launcher{cfg: cfg, layout: cfg.Layout, same: same, signals: make(chan os.Signal, 4), notReady: "ERRNO=1\n"}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if l.reaper, err = process.NewReaper(); err != nil {
		return err
	}
	defer l.reaper.Close()
	signal.Notify(l.signals, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // the reader of our output may go away; that is no reason to end
	defer signal.Stop(l.signals)
	if every, err := daemon.SdWatchdogEnabled(false); err == nil && every > 0 {
		l.pings = time.Tick(every / 3)
	}
	for ctx.Err() == nil {
		l.pause(ctx, l.once(ctx))
	}
	return nil
}

// once starts the agent, waits for its end, and says how long to pause before the next
// start. The order matters: converge writes the attempt to disk before the agent runs, and
// judge writes how it ended before the next converge reads the journal.
//
// Nothing is started, and no attempt is counted, while somebody else could exchange the data
// directory: what it holds is executed.
func (l *launcher) once(ctx context.Context) (pause time.Duration) {
	if err := l.same(); err != nil {
		return l.backoff("no agent is started: " + err.Error())
	}
	j := l.converge()
	name, exe, err := l.choose(j)
	if err != nil {
		return l.backoff("no version can be run: " + err.Error())
	}
	r := l.run(ctx, name, exe, j)
	if l.restarts++; ctx.Err() != nil {
		return 0
	}
	if trialGoesOn := l.judge(r); trialGoesOn && !r.Asked {
		return l.cfg.Timing.Backoff / 4
	}
	if r.Asked || r.Lasted > l.cfg.Timing.Settle {
		l.crashes = 0
	}
	if r.Asked {
		return 0
	}
	return l.backoff("the agent " + name + " ended, and is started again: " + r.Failure.Text)
}

// backoff says, in the log and to systemd, why no agent runs, counts that, and returns how long
// to pause after it.
func (l *launcher) backoff(why string) time.Duration {
	l.crashes++
	l.cfg.Logger.Error("the agent does not run", "why", why)
	l.notify(l.notReady + "STATUS=" + why)
	return host.Backoff{Min: l.cfg.Timing.Backoff, Max: time.Minute}.Pause(l.crashes - 1)
}

// pause waits, and goes on telling systemd's watchdog that the launcher lives.
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

// choose opens the program to run. It tries the version behind the link first, then the last
// good version, then the installed copy. The installed copy is made a version of its own if
// the disk allows that; if not, the file itself is run.
func (l *launcher) choose(j install.Journal) (name string, exe host.File, err error) {
	current, err := l.layout.Current()
	if err == nil {
		if exe, err = l.layout.Program(current); err == nil {
			return current, exe, nil
		}
	}
	l.cfg.Logger.Warn("the current version cannot be run", "err", err)
	if j.Good != "" && l.layout.Switch(j.Good) == nil {
		if exe, err = l.layout.Program(j.Good); err == nil {
			return j.Good, exe, nil
		}
	}
	if err := l.layout.Install(l.cfg.Exe, l.cfg.Version); err != nil {
		l.cfg.Logger.Error("running the installed copy in its place", "err", err)
		exe, err := l.layout.Installed(l.cfg.Exe)
		return l.cfg.Version, exe, err
	}
	exe, err = l.layout.Program(l.cfg.Version)
	return l.cfg.Version, exe, err
}

// notify tells the service manager a state (sd_notify(3)). It does nothing when this process
// was not started by one.
func (l *launcher) notify(state string) { _, _ = daemon.SdNotify(false, state) }
