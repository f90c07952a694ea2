package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
)

// workload is one run of a unit's command: a process that does not belong to this one.
// It has its own session and writes straight to its log file, so it lives on when the
// agent ends, and the next agent adopts it.
type workload struct {
	PID     int    `json:"pid"`
	Started uint64 `json:"started_ticks"` // since boot, from /proc: a reused PID has another
	BootID  string `json:"boot_id"`
	Command string `json:"command"` // digest-free text of what runs, to notice a change

	cmd *exec.Cmd // nil when it was adopted
}

func workloadFile(l install.Layout, unit string) string {
	return filepath.Join(l.Unit(unit), "workload.json")
}

// maxLogBytes is when a workload's log is moved to .1 at its next start.
const maxLogBytes = 10 << 20

// startWorkload starts the command and notes it durably.
func startWorkload(l install.Layout, spec events.UnitSpec) (*workload, error) {
	if err := os.MkdirAll(l.Unit(spec.Unit), 0o700); err != nil {
		return nil, err
	}
	name := l.Log(events.UnitTag(spec.Unit))
	if info, err := os.Stat(name); err == nil && info.Size() > maxLogBytes {
		if err := os.Rename(name, name+".1"); err != nil {
			return nil, err
		}
	}
	log, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(spec.Command[0], spec.Command[1:]...)
	cmd.Env = workloadEnv(spec)
	cmd.Dir = l.Unit(spec.Unit)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w := &workload{PID: cmd.Process.Pid, BootID: boot(), Command: commandText(spec), cmd: cmd}
	w.Started, err = startTicks(w.PID)
	if err == nil {
		err = w.save(l, spec.Unit)
	}
	if err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	return w, nil
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

func (w *workload) save(l install.Layout, unit string) error {
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return install.WriteFile(workloadFile(l, unit), b)
}

// adoptWorkload finds the workload that an earlier agent left running. It returns nil
// when it is gone; a process that merely has its PID is never taken for it.
func adoptWorkload(l install.Layout, unit string) *workload {
	b, err := os.ReadFile(workloadFile(l, unit))
	if err != nil {
		return nil
	}
	w := &workload{}
	if json.Unmarshal(b, w) != nil || w.PID <= 1 || !w.alive() {
		return nil
	}
	return w
}

// alive says whether the very process still runs.
func (w *workload) alive() bool {
	ticks, err := startTicks(w.PID)
	return err == nil && ticks == w.Started && w.BootID == boot()
}

// wait returns when the process has ended, and how. The end of an adopted process can be
// seen, its exit code cannot.
func (w *workload) wait() (how string, failed bool) {
	if w.cmd != nil {
		err := w.cmd.Wait()
		if err == nil {
			return "it exited with code 0", false
		}
		return "it ended: " + err.Error(), true
	}
	fd, err := unix.PidfdOpen(w.PID, 0)
	if err != nil {
		return "it ended while no agent watched it", true
	}
	defer func() { _ = unix.Close(fd) }()
	for w.alive() {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EINTR) {
			return "it cannot be watched: " + err.Error(), true
		}
	}
	return "it ended; an earlier agent started it, so its exit code is not known", true
}

// stop asks the process group to end, and insists. It returns when ended is closed.
func (w *workload) stop(patience time.Duration, ended <-chan struct{}) {
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

// startTicks reads when a process began, in clock ticks since boot. A zombie has ended.
func startTicks(pid int) (uint64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	const state, start = 0, 19
	if len(fields) <= start || fields[state] == "Z" || fields[state] == "X" {
		return 0, os.ErrProcessDone
	}
	return strconv.ParseUint(fields[start], 10, 64)
}

func boot() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
