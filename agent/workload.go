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

// workload is one run of a unit's command: a process that outlives the agent. It has a session
// of its own and writes straight to its log file. When the agent ends, the workload runs on,
// and the next agent adopts it by what workload.json says.
type workload struct {
	PID     int     `json:"pid"`
	Started uint64  `json:"started_ticks"` // since boot, from /proc: another process with the same PID has another value
	BootID  string  `json:"boot_id"`
	Command string  `json:"command"`         // what runs, to notice that the unit's command changed
	Ended   *ending `json:"ended,omitempty"` // how it ended, once an agent knows

	file string    // workload.json
	cmd  *exec.Cmd // nil when it was adopted: then it is no child of this process
}

// ending is how a run ended.
type ending struct {
	How     string `json:"how"` // for a person
	Failed  bool   `json:"failed,omitempty"`
	Stopped bool   `json:"stopped,omitempty"` // it was stopped with the machine's service; it did not end by itself
}

// exits gives the exit status of a process that is no child of this one. It returns false when
// the status is not known.
type exits func(pid int) (syscall.WaitStatus, bool)

// nobodyKnows is the exits of a host on which nobody collects exit statuses.
func nobodyKnows(int) (s syscall.WaitStatus, known bool) { return }

const workloadName = "workload.json"

// startWorkload starts the command in the unit's directory.
//
// The order matters: the process starts behind a gate, note writes down durably that it exists,
// and only then does the gate open and the command run. So an agent that is killed in between
// leaves no workload that the next agent does not know of.
func startWorkload(l install.Layout, spec events.UnitSpec, as *runAs, env map[string]string, note func(*workload) error) (*workload, error) {
	dir, err := as.directory(l, spec.Unit)
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(l.Log(events.UnitTag(spec.Unit)), os.O_CREATE|os.O_APPEND|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	cmd, g, err := gated(as, spec.Command)
	if err != nil {
		return nil, err
	}
	defer g.close()
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, workloadEnv(spec.Unit, as.environment(dir), env), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w := &workload{
		PID: cmd.Process.Pid, BootID: bootID(), Command: commandText(spec),
		file: filepath.Join(l.Unit(spec.Unit), workloadName), cmd: cmd,
	}
	if w.Started, err = host.StartTicks(w.PID); err == nil {
		err = note(w)
	}
	if err == nil {
		err = g.open()
	}
	if err != nil {
		g.close() // the process ends without having run the command
		return nil, errors.Join(err, ignoreExit(cmd.Wait()))
	}
	return w, nil
}

// ignoreExit returns nil for a program that ran and ended, whatever its exit code.
func ignoreExit(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}

// workloadEnv is the environment of a workload: the agent's, without the variables that are
// meant for the agent alone, with those of its user, and with the unit's own.
func workloadEnv(unit string, ofUser []string, own map[string]string) []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "JUJUBE_") && !strings.HasPrefix(kv, "NOTIFY_SOCKET=") && !strings.HasPrefix(kv, "WATCHDOG_") {
			env = append(env, kv)
		}
	}
	env = append(append(env, "JUJU_UNIT_NAME="+unit), ofUser...)
	for k, v := range own {
		env = append(env, k+"="+v)
	}
	return env
}

// commandText is what two runs of the same command have in common. What it does not say of a
// deployment of before must stay so: workloads are known by it over an upgrade.
func commandText(spec events.UnitSpec) string {
	b, err := json.Marshal(struct {
		Command []string
		Env     map[string]string
		User    string          `json:",omitempty"`
		Secrets *events.Secrets `json:",omitempty"`
	}{spec.Command, spec.Env, spec.User, spec.Secrets})
	if err != nil {
		return ""
	}
	return string(b)
}

// save writes workload.json, durably.
func (w *workload) save() error {
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return host.WriteFile(w.file, b)
}

// readWorkload reads what workload.json says of a unit's last run. It returns nil when there
// was no run, or the file is damaged.
func readWorkload(dir string) *workload {
	file := filepath.Join(dir, workloadName)
	b, err := host.ReadPinned(file)
	if err != nil {
		return nil
	}
	w := &workload{file: file}
	if json.Unmarshal(b, w) != nil || (w.PID <= 1 && w.Ended == nil) {
		return nil
	}
	return w
}

// alive says whether the workload still runs. It compares PID, start time and boot: another
// process that was given the same PID later is never taken for the workload.
func (w *workload) alive() bool {
	if w.Ended != nil {
		return false
	}
	ticks, err := host.StartTicks(w.PID)
	return err == nil && ticks == w.Started && w.BootID == bootID()
}

// end says how a run ended, also one that ended while no agent watched it.
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

// wait returns how the process ended, once it has. A child of this process is waited for in
// the usual way. An adopted workload is watched through a pidfd (pidfd_open(2)).
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

// stop asks the process group to end, and kills it when patience is over. It returns when the
// process has ended.
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

// forgetWorkload removes workload.json of a unit that is gone. The unit's directory goes too if it is
// empty; what the workload left in it stays.
func forgetWorkload(dir string) error {
	if err := os.Remove(filepath.Join(dir, workloadName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_ = os.Remove(filepath.Join(dir, homeName)) // both fail when the directory is not empty
	_ = os.Remove(dir)
	return nil
}

// bootID names this boot. It is empty where the kernel does not give a boot id, as it is in
// every workload.json that earlier versions wrote on such a host.
func bootID() string {
	id, _ := host.Boot()
	if id == host.UnknownBoot {
		return ""
	}
	return id
}
