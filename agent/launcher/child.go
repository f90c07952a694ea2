package launcher

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jujube-project/jujube/agent/install"
)

// ending is how an agent process ended.
type ending struct {
	how   string
	asked bool // it asked to be started again, or was stopped
}

// child is one agent process.
type child struct {
	l       *launcher
	journal install.Journal
	proc    *os.Process
	exited  <-chan string
	lines   chan string
	out     *os.File // to the agent
	tail    *tail
	asked   bool
	greeted bool
	isReady bool
}

// run starts the version and stays with it until it has ended.
func (l *launcher) run(ctx context.Context, version string, j install.Journal) ending {
	c, err := l.start(version, j)
	if err != nil {
		l.fault(j, err.Error())
		return ending{how: err.Error()}
	}
	defer func() { _ = c.out.Close() }()
	how := c.watch(ctx)
	l.fault(c.journal, how+"\n"+c.tail.String())
	return ending{how: how, asked: c.asked}
}

// fault keeps what a failed try said, for the report on the trial.
func (l *launcher) fault(j install.Journal, text string) {
	if j.Phase != install.PhaseTrial {
		return
	}
	if err := install.WriteFile(l.outputFile(), []byte(clip(text))); err != nil {
		l.cfg.Logger.Warn("keeping the output of a trial", "err", err)
	}
}

func (l *launcher) start(version string, j install.Journal) (*child, error) {
	fromAgent, toLauncher, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	fromLauncher, toAgent, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	output, errPipe, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	exe := filepath.Join(l.l.Version(version), "jujud")
	env := append(os.Environ(), fmt.Sprintf("JUJUBE_RESTARTS=%d", l.restarts))
	proc, exited, err := l.reaper.start(exe, []string{exe, "agent", "--data-dir", l.l.Dir}, &os.ProcAttr{
		Env: env, Files: []*os.File{nil, errPipe, errPipe, toLauncher, fromLauncher}, Sys: &syscall.SysProcAttr{Setpgid: true},
	})
	for _, f := range []*os.File{toLauncher, fromLauncher, errPipe} {
		_ = f.Close()
	}
	if err != nil {
		for _, f := range []*os.File{fromAgent, toAgent, output} {
			_ = f.Close()
		}
		return nil, fmt.Errorf("start %s: %w", exe, err)
	}
	c := &child{l: l, journal: j, proc: proc, exited: exited, lines: make(chan string, 16), out: toAgent, tail: &tail{}}
	go c.readLines(fromAgent)
	go c.readOutput(output)
	return c, nil
}

func (c *child) readLines(from *os.File) {
	defer func() { _ = from.Close() }()
	for lines := bufio.NewScanner(from); lines.Scan(); {
		c.lines <- lines.Text()
	}
	close(c.lines)
}

// readOutput passes the agent's output on and keeps its end.
func (c *child) readOutput(from *os.File) {
	defer func() { _ = from.Close() }()
	_, _ = io.Copy(io.MultiWriter(os.Stderr, c.tail), from)
}

// watch judges the child by what it says, and when, until it has ended.
func (c *child) watch(ctx context.Context) (how string) {
	trial := c.journal.Phase == install.PhaseTrial
	deadline := time.NewTimer(c.l.cfg.Timing.Ready)
	defer deadline.Stop()
	lines := c.lines
	for {
		select {
		case how := <-c.exited:
			return how
		case line, ok := <-lines:
			if !ok {
				lines = nil
				continue
			}
			if why := c.hear(line); why != "" {
				return c.kill(why)
			}
			if trial && line == wordReady {
				deadline.Reset(c.l.trialBudget(c.journal))
			}
			trial = c.journal.Phase == install.PhaseTrial
		case <-deadline.C:
			switch {
			case !c.isReady:
				return c.kill(fmt.Sprintf("it was not ready within %v", c.l.cfg.Timing.Ready))
			case trial && c.l.blameless(ctx, c.journal):
				deadline.Reset(c.l.cfg.Timing.Trial)
			case trial:
				return c.kill("it did not prove itself in time")
			}
		case <-ctx.Done():
			c.asked = true
			return c.stop()
		}
	}
}

// hear handles one line of the agent. It returns why the agent must be killed, if so.
func (c *child) hear(line string) (why string) {
	if !c.greeted {
		if c.greeted = line == Hello; !c.greeted {
			return fmt.Sprintf("it speaks another protocol: %q", line)
		}
		return ""
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case wordReady:
		c.isReady = true
		c.l.ready()
	case wordRestart:
		c.asked = true
	case wordHealthy:
		if c.journal.Phase != install.PhaseTrial || c.journal.Order.ID != rest {
			return ""
		}
		j, err := c.l.commit(rest)
		if err != nil {
			return "its trial could not be noted: " + err.Error()
		}
		if c.journal = j; j.Phase != install.PhaseCommitted {
			return ""
		}
		_, _ = fmt.Fprintln(c.out, wordCommitted, rest)
	}
	return ""
}

// kill ends a child that failed, with all of its process group.
func (c *child) kill(why string) string {
	_ = syscall.Kill(-c.proc.Pid, syscall.SIGKILL)
	<-c.exited
	return why
}

// stop asks the agent to end, and insists when it does not.
func (c *child) stop() string {
	policy := c.l.cfg.Workloads
	if policy == "" {
		policy = WorkloadsStop
	}
	if _, err := fmt.Fprintln(c.out, wordStop, policy); err != nil {
		_ = c.proc.Signal(syscall.SIGTERM) // it does not listen; its workloads then stay
	}
	select {
	case how := <-c.exited:
		return how
	case <-time.After(c.l.cfg.Timing.Stop):
		return c.kill("it did not stop in time")
	}
}
