package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// workload is one run of a unit's command: a process that does not belong to this one.
// It has its own session and writes straight to its log file, so it lives on when the
// agent ends, and the next agent adopts it.
type workload struct {
	PID     int     `json:"pid"`
	Started uint64  `json:"started_ticks"` // since boot, from /proc: a reused PID has another
	BootID  string  `json:"boot_id"`
	Command string  `json:"command"`         // what runs, to notice a change
	Ended   *ending `json:"ended,omitempty"` // set once an agent knows how it ended

	file string    // where this is noted
	cmd  *exec.Cmd // nil when it was adopted
}

// ending is how a run ended.
type ending struct {
	How     string `json:"how"` // for a person
	Failed  bool   `json:"failed,omitempty"`
	Stopped bool   `json:"stopped,omitempty"` // with the machine's service, and not by itself
}

// exits gives the exit status of a process that is no child of this one; false when
// nobody can know it.
type exits func(pid int) (syscall.WaitStatus, bool)

func nobodyKnows(int) (s syscall.WaitStatus, known bool) { return }

const workloadName = "workload.json"

// startWorkload starts the command in the unit's directory. The process waits behind a
// gate until note has noted it durably: an agent that is killed in between leaves no
// process that the next one does not know of.
func startWorkload(l install.Layout, spec events.UnitSpec, note func(*workload) error) (*workload, error) {
	dir := l.Unit(spec.Unit)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(l.Log(events.UnitTag(spec.Unit)), os.O_CREATE|os.O_APPEND|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	cmd, g, err := gated(spec.Command)
	if err != nil {
		return nil, err
	}
	defer g.close()
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, workloadEnv(spec), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w := &workload{
		PID: cmd.Process.Pid, BootID: bootID(), Command: commandText(spec),
		file: filepath.Join(dir, workloadName), cmd: cmd,
	}
	if w.Started, err = host.StartTicks(w.PID); err == nil {
		err = note(w)
	}
	if err == nil {
		err = g.open()
	}
	if err != nil {
		g.close() // it never runs
		return nil, errors.Join(err, ignoreExit(cmd.Wait()))
	}
	return w, nil
}

func ignoreExit(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}

// workloadEnv is the host's environment without what is the agent's own.
func workloadEnv(spec events.UnitSpec) []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "JUJUBE_") && !strings.HasPrefix(kv, "NOTIFY_SOCKET=") && !strings.HasPrefix(kv, "WATCHDOG_") {
			env = append(env, kv)
		}
	}
	env = append(env, "JUJU_UNIT_NAME="+spec.Unit)
	for k, v := range spec.Env {
		env = append(env, k+"="+v)
	}
	return env
}

func commandText(spec events.UnitSpec) string {
	b, err := json.Marshal(struct {
		Command []string
		Env     map[string]string
	}{spec.Command, spec.Env})
	if err != nil {
		return ""
	}
	return string(b)
}

func (w *workload) save() error {
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return host.WriteFile(w.file, b)
}

// readWorkload reads what is noted of a unit's last run. It returns nil when there was
// none, or nothing that can be believed.
func readWorkload(dir string) *workload {
	file := filepath.Join(dir, workloadName)
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	w := &workload{file: file}
	if json.Unmarshal(b, w) != nil || (w.PID <= 1 && w.Ended == nil) {
		return nil
	}
	return w
}

// alive says whether the very process still runs: a process that merely has its PID is
// never taken for it.
func (w *workload) alive() bool {
	if w.Ended != nil {
		return false
	}
	ticks, err := host.StartTicks(w.PID)
	return err == nil && ticks == w.Started && w.BootID == bootID()
}

// end says how a run ended that no agent saw ending.
func (w *workload) end(status exits) ending {
	switch {
	case w.Ended != nil:
		return *w.Ended
	case w.BootID != bootID():
		return ending{How: "it ended with the machine, which has been started anew", Failed: true}
	}
	if s, ok := status(w.PID); ok {
		return describe(s)
	}
	return ending{How: "it ended while no agent watched it, so its exit code is not known", Failed: true}
}

func describe(s syscall.WaitStatus) ending {
	if s.Signaled() {
		return ending{How: "it was killed by signal " + s.Signal().String(), Failed: true}
	}
	return ending{How: fmt.Sprintf("it exited with code %d", s.ExitStatus()), Failed: s.ExitStatus() != 0}
}

// wait returns when the process has ended, and how.
func (w *workload) wait(status exits) ending {
	if w.cmd != nil {
		if err := ignoreExit(w.cmd.Wait()); err != nil {
			return ending{How: "it cannot be watched: " + err.Error(), Failed: true}
		}
		if s, ok := w.cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
			return describe(s)
		}
	}
	if fd, err := unix.PidfdOpen(w.PID, 0); err == nil {
		defer func() { _ = unix.Close(fd) }()
		for w.alive() {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
			if err != nil && !errors.Is(err, unix.EINTR) {
				return ending{How: "it cannot be watched: " + err.Error(), Failed: true}
			}
		}
	}
	return w.end(status)
}

// stop asks the process group to end, and insists. It returns when the process has ended.
func (w *workload) stop(patience time.Duration, ended <-chan ending) {
	if !w.alive() {
		return
	}
	_ = syscall.Kill(-w.PID, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(patience):
		_ = syscall.Kill(-w.PID, syscall.SIGKILL)
		<-ended
	}
}

// forget removes what is noted of a unit that is gone.
func forgetWorkload(dir string) error {
	if err := os.Remove(filepath.Join(dir, workloadName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_ = os.Remove(dir) // what the workload left there stays
	return nil
}

// bootID names this boot. It is empty where the kernel does not say it: so it stands in the
// files of runs that earlier versions noted there.
func bootID() string {
	id, _ := host.Boot()
	if id == host.UnknownBoot {
		return ""
	}
	return id
}
