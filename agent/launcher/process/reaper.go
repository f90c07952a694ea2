package process

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Reaper collects every child process that ends (wait4(2)). Nothing else in the process may
// wait for children: collect waits for any child, and would take the exit status away.
type Reaper struct {
	mu      sync.Mutex          // held from before a process starts until it is in waiting
	waiting map[int]chan string // PID → who wants to know how it ended
	sigchld chan os.Signal
	done    chan struct{} // closed when the collecting goroutine has ended
}

// NewReaper makes this process the reaper of all its descendants until Close.
func NewReaper() (*Reaper, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("become the reaper of workloads: %w", err)
	}
	r := &Reaper{waiting: map[int]chan string{}, sigchld: make(chan os.Signal, 1), done: make(chan struct{})}
	signal.Notify(r.sigchld, syscall.SIGCHLD)
	go func() {
		defer close(r.done)
		for range r.sigchld {
			r.collect()
		}
	}()
	return r, nil
}

// Close stops collecting.
func (r *Reaper) Close() {
	signal.Stop(r.sigchld)
	close(r.sigchld)
	<-r.done
}

// start starts a process and says, once, how it ended. It holds the lock while it starts the
// process: a process that ends at once cannot be collected before it is in r.waiting.
func (r *Reaper) start(exe string, args []string, attr *os.ProcAttr) (*os.Process, <-chan string, error) {
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

// Run runs a program to its end and says whether it exited with code 0. The program is killed
// when ctx ends, and did not exit well then. The error says that it could not be started.
func (r *Reaper) Run(ctx context.Context, args ...string) (well bool, err error) {
	p, ended, err := r.start(args[0], args, &os.ProcAttr{Files: []*os.File{nil, nil, nil}})
	if err != nil {
		return false, err
	}
	select {
	case how := <-ended:
		return how == exitedWell, nil
	case <-ctx.Done():
		_ = p.Kill()
		<-ended
		return false, nil
	}
}

// collect takes the exit status of every child that has ended. One SIGCHLD can stand for
// several children, so it goes on until there is none. Workloads that were inherited are not
// in r.waiting; their status is dropped.
func (r *Reaper) collect() {
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
