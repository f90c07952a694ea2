package hosts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Service is a machine's launcher, which is started again whenever it ends.
type Service struct {
	Machine string

	dir  string
	args []string
	mu   sync.Mutex
	pid  int
	stop bool
	done chan struct{}
}

// restartPause is the time between a launcher's end and its next start.
const restartPause = 50 * time.Millisecond

// Supervise takes over the launcher of a machine that juju started on this host.
func (e *Environment) Supervise(machine string) (*Service, error) {
	s := &Service{Machine: machine, dir: e.DataDir(machine), done: make(chan struct{})}
	b, err := os.ReadFile(filepath.Join(s.dir, "lock"))
	if err != nil {
		return nil, err
	}
	if s.pid, err = strconv.Atoi(strings.TrimSpace(string(b))); err != nil {
		return nil, fmt.Errorf("find the launcher of machine %s: %w", machine, err)
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", s.pid))
	if err != nil {
		return nil, fmt.Errorf("find the launcher of machine %s: %w", machine, err)
	}
	s.args = strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
	go s.run()
	return s, nil
}

func (s *Service) run() {
	defer close(s.done)
	waitFor(s.pid)
	for {
		cmd, err := s.start()
		if err != nil || cmd == nil {
			return
		}
		_ = cmd.Wait()
		<-time.After(restartPause)
	}
}

// start starts the next launcher, unless the service is stopped.
func (s *Service) start() (*exec.Cmd, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop {
		return nil, nil
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log", "machine-"+s.Machine+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(s.args[0], s.args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.pid = cmd.Process.Pid
	return cmd, nil
}

// waitFor returns when a process has ended.
func waitFor(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer func() { _ = unix.Close(fd) }()
	for {
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// Launcher is the launcher's PID.
func (s *Service) Launcher() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid
}

// Agent is the PID of the agent that the launcher runs. It is 0 when none runs at the moment.
func (s *Service) Agent() int {
	launcher := s.Launcher()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", launcher))
	if err != nil {
		return 0
	}
	for _, f := range tasks {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for child := range strings.FieldsSeq(string(b)) {
			line, err := os.ReadFile("/proc/" + child + "/cmdline")
			if err != nil || !bytes.Contains(line, []byte("\x00agent\x00")) {
				continue
			}
			if pid, err := strconv.Atoi(child); err == nil {
				return pid
			}
		}
	}
	return 0
}

// Stop ends the service and its workloads.
func (s *Service) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.stop = true
	pid := s.pid
	s.mu.Unlock()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop machine %s: %w", s.Machine, ctx.Err())
	}
}
