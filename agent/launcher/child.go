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

// child is one agent process, and what the launcher knows of it.
type child struct {
	*process.Child
	launcher    *launcher
	name        string          // its binary version
	journal     install.Journal // as converge wrote it before this start
	asked       bool            // the agent asked to be started again, or was asked to stop
	greeted     bool            // it said hello
	isReady     bool            // it said ready
	saysAlive   bool            // it said alive once, so it must go on saying it
	silentLooks int             // how often the launcher looked since the last alive
	proved      bool            // it said healthy; the journal may not say so yet
	extended    bool            // its trial was extended once because of a bus that had just come back
}

// run starts a version and returns when its process has ended. That the kernel does not
// take the program is the version's fault; every other error of a start is the host's.
func (l *launcher) run(ctx context.Context, name string, exe host.File, j install.Journal) trial.Run {
	defer func() { _ = exe.Close() }()
	_, began := host.Boot()
	env := append(os.Environ(), fmt.Sprintf("JUJUBE_RESTARTS=%d", l.restarts))
	p, err := l.reaper.Start(exe, []string{"agent", "--data-dir", l.layout.Dir}, env)
	if errors.Is(err, process.ErrProgram) {
		return trial.Run{Version: name, Failure: failed(events.CauseVersion, events.CodeCannotStart, err.Error())}
	} else if err != nil {
		return trial.Run{Version: name, Failure: failed(events.CauseEnvironment, events.CodeCannotStart, err.Error())}
	}
	defer p.Close()
	c := &child{Child: p, launcher: l, name: name, journal: j}
	f := c.watch(ctx)
	f.Output = c.Output()
	_, now := host.Boot()
	return trial.Run{Version: name, Failure: f, Asked: c.asked, Lasted: now - began}
}

// looks is how often within Timing.Silence the launcher looks whether the agent said alive.
// The launcher counts its looks and not the time: when the launcher itself was held up, by a
// suspended host for example, it must not blame the agent.
const looks = 6

// watch judges the child by what it says, and when, until it has ended.
func (c *child) watch(ctx context.Context) events.Failure {
	t := c.launcher.cfg.Timing
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
			if c.silentLooks++; c.saysAlive && c.silentLooks > looks {
				return c.kill(events.CodeHung, fmt.Sprintf("it said nothing for %v", t.Silence))
			}
			c.commit()
		case <-c.launcher.pings:
			c.launcher.notify(daemon.SdNotifyWatchdog)
		case s := <-c.launcher.signals:
			c.Signal(s)
		case <-deadline.C:
			if !c.isReady {
				return c.kill(events.CodeHung, fmt.Sprintf("it was not ready within %v", t.Ready))
			}
			if c.onTrial() && !c.proved {
				go func() { probed <- c.launcher.reachable(probing, c.journal.Good) }()
			}
		case reachable := <-probed:
			if again := c.extension(reachable); again > 0 {
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

// budget is how much time the version on trial has left. It is counted from the beginning of
// the trial in this boot, over all starts: a version that crashes does not get more time.
func (c *child) budget() time.Duration {
	_, now := host.Boot()
	return c.launcher.cfg.Timing.Trial + c.journal.Order.Window - (now - time.Duration(c.journal.Trial.Started))
}

// extension says how much more time a version gets whose trial has run out of time. Zero
// means that the version is to blame.
//
// While the old version cannot reach the bus either, no version could prove itself, and the
// trial is extended again and again. Once the bus can be reached, the trial is extended one
// last time, because the bus may have come back only now.
func (c *child) extension(reachable bool) (again time.Duration) {
	switch before := c.extended; {
	case !reachable:
		c.extended = false
		c.launcher.cfg.Logger.Warn("neither the new version nor the old one reaches the bus; the trial goes on", "version", c.name)
		return c.launcher.cfg.Timing.Trial
	case before:
		return 0
	}
	c.extended = true
	return c.journal.Order.Window + c.launcher.cfg.Timing.Trial/4
}

// hear handles one line of the agent. A why that is not empty says why the agent must be
// killed. Words that this launcher does not know are ignored: a newer agent may say them.
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
		if c.isReady = true; c.launcher.notReady != "" {
			c.launcher.notify(daemon.SdNotifyReady)
			c.launcher.notReady = ""
		}
	case pipe.Alive:
		c.saysAlive, c.silentLooks = true, 0
	case pipe.Restart:
		c.asked = true
	case pipe.Healthy:
		c.proved = c.proved || c.onTrial() && c.journal.Order.ID == rest
		c.commit()
	}
	return ""
}

// commit writes that a version which proved itself is kept, and only then tells the agent so.
// If the disk does not take the journal, the version stays on trial and is not blamed:
// watch calls commit again at every look.
func (c *child) commit() {
	if !c.proved || !c.onTrial() {
		return
	}
	if j, ok := c.launcher.commit(c.journal.Order.ID); ok {
		c.journal = j
		_ = c.Say(pipe.Committed, j.Order.ID)
	}
}

// kill ends an agent that failed, and all of its process group.
func (c *child) kill(code, why string) events.Failure {
	c.Kill()
	return failed(events.CauseVersion, code, why)
}

// stop asks the agent to end, and kills it when it has not ended in time.
func (c *child) stop() events.Failure {
	c.launcher.notify(daemon.SdNotifyStopping)
	c.asked = true
	if c.Say(pipe.Stop, cmp.Or(c.launcher.cfg.Workloads, pipe.WorkloadsStop)) != nil {
		c.Signal(syscall.SIGTERM) // the agent does not listen; at SIGTERM it keeps its workloads
	}
	select {
	case how := <-c.Exited:
		return failed(events.CauseOperator, events.CodeCrashed, how)
	case <-time.After(c.launcher.cfg.Timing.Stop):
		return c.kill(events.CodeHung, "it did not stop in time")
	}
}
