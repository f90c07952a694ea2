package launcher

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// reaper collects every child that ends: the agent, and the workloads that fell to this
// process when an earlier agent ended. It is the only one that waits for children.
type reaper struct {
	mu      sync.Mutex
	waiting map[int]chan string
	sigchld chan os.Signal
	done    chan struct{}
}

func startReaper() (*reaper, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("become the reaper of workloads: %w", err)
	}
	r := &reaper{waiting: map[int]chan string{}, sigchld: make(chan os.Signal, 1), done: make(chan struct{})}
	signal.Notify(r.sigchld, syscall.SIGCHLD)
	go func() {
		defer close(r.done)
		for range r.sigchld {
			r.collect()
		}
	}()
	return r, nil
}

func (r *reaper) stop() {
	signal.Stop(r.sigchld)
	close(r.sigchld)
	<-r.done
}

// start starts a process and says, once, how it ended.
func (r *reaper) start(exe string, args []string, attr *os.ProcAttr) (*os.Process, <-chan string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := os.StartProcess(exe, args, attr)
	if err != nil {
		return nil, nil, err
	}
	ended := make(chan string, 1)
	r.waiting[p.Pid] = ended
	return p, ended, nil
}

// collect takes every child that has ended.
func (r *reaper) collect() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		r.mu.Lock()
		if ended := r.waiting[pid]; ended != nil {
			ended <- describe(status)
			delete(r.waiting, pid)
		}
		r.mu.Unlock()
	}
}

func describe(s syscall.WaitStatus) string {
	if s.Signaled() {
		return "it was killed by signal " + s.Signal().String()
	}
	if s.ExitStatus() == 0 {
		return exitedWell
	}
	return fmt.Sprintf("it exited with code %d", s.ExitStatus())
}

const exitedWell = "it exited with code 0"
