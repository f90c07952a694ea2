package launcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/launcher/process"
	"github.com/jujube-project/jujube/agent/pipe"
	"github.com/jujube-project/jujube/agent/trial"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// child is one agent process, and what is known of it.
type child struct {
	*process.Child
	l       *launcher
	name    string
	journal install.Journal
	asked   bool
	greeted bool
	isReady bool
	lives   bool // it says that it is alive, so it must go on saying it
	silent  int  // looks since then
	proved  bool // it is healthy; what is missing is the journal
	doubted bool // its time was up although the bus could be reached
}

// run starts the version and stays with it until it has ended.
func (l *launcher) run(ctx context.Context, name string, exe host.File, j install.Journal) trial.Run {
	defer func() { _ = exe.Close() }()
	_, began := host.Boot()
	env := append(os.Environ(), fmt.Sprintf("JUJUBE_RESTARTS=%d", l.restarts))
	p, err := l.reaper.Start(exe, []string{"agent", "--data-dir", l.l.Dir}, env)
	if errors.Is(err, process.ErrProgram) {
		return trial.Run{Version: name, Failure: failed(events.CauseVersion, events.CodeCannotStart, err.Error())}
	} else if err != nil {
		return trial.Run{Version: name, Failure: failed(events.CauseEnvironment, events.CodeCannotStart, err.Error())}
	}
	defer p.Close()
	c := &child{Child: p, l: l, name: name, journal: j}
	f := c.watch(ctx)
	f.Output = c.Output()
	_, now := host.Boot()
	return trial.Run{Version: name, Failure: f, Asked: c.asked, Lasted: now - began}
}

// looks is how often within Timing.Silence the launcher looks whether it heard anything.
// It counts looks, not time: one that was itself held up must not blame its agent.
const looks = 6

// watch judges the child by what it says, and when, until it has ended.
func (c *child) watch(ctx context.Context) events.Failure {
	t := c.l.cfg.Timing
	deadline, look := time.NewTimer(t.Ready), time.NewTicker(t.Silence/looks)
	defer deadline.Stop()
	defer look.Stop()
	probing, cancel := context.WithCancel(ctx)
	defer cancel()
	probed := make(chan bool, 1)
	for {
		select {
		case how := <-c.Exited:
			return failed(events.CauseVersion, events.CodeCrashed, how)
		case line := <-c.Lines:
			if why := c.hear(line); why != "" {
				return c.kill(events.CodeProtocol, why)
			}
			if line == pipe.Ready && c.onTrial() {
				deadline.Reset(c.budget())
			}
		case <-look.C:
			if c.silent++; c.lives && c.silent > looks {
				return c.kill(events.CodeHung, fmt.Sprintf("it said nothing for %v", t.Silence))
			}
			c.commit()
		case <-c.l.pings:
			c.l.notify(daemon.SdNotifyWatchdog)
		case s := <-c.l.signals:
			c.Signal(s)
		case <-deadline.C:
			if !c.isReady {
				return c.kill(events.CodeHung, fmt.Sprintf("it was not ready within %v", t.Ready))
			}
			if c.onTrial() && !c.proved {
				go func() { probed <- c.l.reachable(probing, c.journal.Good) }()
			}
		case reachable := <-probed:
			if again := c.doubt(reachable); again > 0 {
				deadline.Reset(again)
			} else if c.onTrial() && !c.proved {
				return c.kill(events.CodeUnhealthy, "it did not prove itself in time")
			}
		case <-ctx.Done():
			return c.stop()
		}
	}
}

func (c *child) onTrial() bool {
	to, onTrial := trial.Target(c.journal)
	return onTrial && to == c.name
}

// budget is how long the version on trial may still take.
func (c *child) budget() time.Duration {
	_, now := host.Boot()
	return c.l.cfg.Timing.Trial + c.journal.Order.Window - (now - time.Duration(c.journal.Trial.Started))
}

// doubt says how long a version whose time is up gets on: as long as the old version
// cannot reach the bus either, and then, since the bus may have come back only now, once
// more. Zero: it is to blame.
func (c *child) doubt(reachable bool) (again time.Duration) {
	switch before := c.doubted; {
	case !reachable:
		c.doubted = false
		c.l.cfg.Logger.Warn("nobody reaches the bus; the trial goes on", "version", c.name)
		return c.l.cfg.Timing.Trial
	case before:
		return 0
	}
	c.doubted = true
	return c.journal.Order.Window + c.l.cfg.Timing.Trial/4
}

// hear handles one line of the agent. It returns why the agent must be killed, if so.
func (c *child) hear(line string) (why string) {
	if !c.greeted {
		if c.greeted = line == pipe.Hello; !c.greeted {
			return fmt.Sprintf("it speaks another protocol: %q", line)
		}
		return ""
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case pipe.Ready:
		if c.isReady = true; c.l.unready != "" {
			c.l.notify(daemon.SdNotifyReady)
			c.l.unready = ""
		}
	case pipe.Alive:
		c.lives, c.silent = true, 0
	case pipe.Restart:
		c.asked = true
	case pipe.Healthy:
		c.proved = c.proved || c.onTrial() && c.journal.Order.ID == rest
		c.commit()
	}
	return ""
}

// commit keeps a version that proved itself. While the disk does not take it, it stays
// on trial, and is not blamed.
func (c *child) commit() {
	if !c.proved || !c.onTrial() {
		return
	}
	if j, ok := c.l.commit(c.journal.Order.ID); ok {
		c.journal = j
		_ = c.Say(pipe.Committed, j.Order.ID)
	}
}

// kill ends a child that failed, with all of its process group.
func (c *child) kill(code, why string) events.Failure {
	c.Kill()
	return failed(events.CauseVersion, code, why)
}

// stop asks the agent to end, and insists when it does not.
func (c *child) stop() events.Failure {
	c.l.notify(daemon.SdNotifyStopping)
	c.asked = true
	if c.Say(pipe.Stop, cmp.Or(c.l.cfg.Workloads, pipe.WorkloadsStop)) != nil {
		c.Signal(syscall.SIGTERM) // it does not listen; its workloads then stay
	}
	select {
	case how := <-c.Exited:
		return failed(events.CauseOperator, events.CodeCrashed, how)
	case <-time.After(c.l.cfg.Timing.Stop):
		return c.kill(events.CodeHung, "it did not stop in time")
	}
}
