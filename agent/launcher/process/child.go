package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// Child is a process that speaks over two pipes: it writes lines to its file descriptor 3
// and reads lines from its file descriptor 4. Whoever starts a Child receives from Lines and
// Exited until Exited has given how the process ended, and then calls Close.
type Child struct {
	Lines  <-chan string // what it says
	Exited <-chan string // how it ended, in words; once, after its last line
	proc   *os.Process
	out    *os.File      // leads to its file descriptor 4
	tail   *tail         // the end of what it printed
	closed chan struct{} // nobody receives from Lines any more
}

// ErrProgram: the kernel does not take the file as a program.
var ErrProgram = errors.New("it cannot be executed")

// Program is an open file that can be executed.
type Program interface {
	Fd() uintptr
	Name() string
}

// Start executes an open file through its descriptor, so that the bytes that were verified
// run, whatever the name of the file leads to by now. The child has a process group of its
// own. The kernel kills it when the thread that calls Start ends.
func (r *Reaper) Start(exe Program, args, env []string) (*Child, error) {
	var ends [6]*os.File // of three pipes: from the child, to the child, its output
	for i := 0; i < len(ends); i += 2 {
		var err error
		if ends[i], ends[i+1], err = os.Pipe(); err != nil {
			return nil, errors.Join(err, closeAll(ends[:i]...))
		}
	}
	path := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), exe.Fd())
	proc, exited, err := r.start(path, append([]string{exe.Name()}, args...), &os.ProcAttr{
		Env: env, Files: []*os.File{nil, ends[5], ends[5], ends[1], ends[2]},
		Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	})
	_ = closeAll(ends[1], ends[2], ends[5])
	if errors.Is(err, syscall.ENOEXEC) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ENOENT) {
		err = fmt.Errorf("%w: %w", ErrProgram, err)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", exe.Name(), err), closeAll(ends[0], ends[3], ends[4]))
	}
	lines, last := make(chan string), make(chan string, 1)
	c := &Child{Lines: lines, Exited: last, proc: proc, out: ends[3], tail: &tail{}, closed: make(chan struct{})}
	spoken := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() { c.readLines(ends[0], lines) })
	reading.Go(func() { c.tail.follow(ends[4]) })
	go func() {
		reading.Wait()
		close(spoken)
	}()
	go func() {
		how := <-exited
		select {
		case <-spoken:
		case <-time.After(lastWords):
		}
		last <- how
	}()
	return c, nil
}

// lastWords is how long to wait for the last lines of a child that has ended. A descendant of
// the child can hold the pipes open for longer than that.
const lastWords = 200 * time.Millisecond

func closeAll(files ...*os.File) (err error) {
	for _, f := range files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// readLines passes lines on until the pipe is closed or nobody receives them any more.
func (c *Child) readLines(from *os.File, to chan<- string) {
	defer func() { _ = from.Close() }()
	for lines := bufio.NewScanner(from); lines.Scan(); {
		select {
		case to <- lines.Text():
		case <-c.closed:
			return
		}
	}
}

// Say writes a line to the child.
func (c *Child) Say(words ...any) error {
	_, err := fmt.Fprintln(c.out, words...)
	return err
}

// Signal sends the child a signal.
func (c *Child) Signal(s os.Signal) { _ = c.proc.Signal(s) }

// Kill kills the child and its process group, and returns when the child has ended. It drops
// the lines that nobody received.
func (c *Child) Kill() {
	_ = syscall.Kill(-c.proc.Pid, syscall.SIGKILL)
	for {
		select {
		case <-c.Exited:
			return
		case <-c.Lines:
		}
	}
}

// Output is the end of what the child printed.
func (c *Child) Output() string { return c.tail.String() }

// Close frees what belongs to a child that has ended.
func (c *Child) Close() {
	close(c.closed)
	_ = c.out.Close()
}
