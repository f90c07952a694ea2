package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// GateCommand is the command of jujud behind which a workload waits before it runs: `jujud gate
// USER PROGRAM ARG0 [ARG...]`; USER is a runAs as text. Only the agent starts it.
const GateCommand = "gate"

// File descriptors of the gate's ends of the pipes. Both are closed when the program starts.
const (
	fdGateOpen  = 3 // the agent writes one byte: go on. If it is closed without one, the agent is gone.
	fdGateError = 4 // the gate writes why the program cannot be started
)

// Gate waits until the agent has written down that this process exists, and then executes the
// program in this process, as the user: the PID and the start time stay the same. It returns
// only with an error.
func Gate(args []string) error {
	if len(args) < 3 {
		return errors.New("this command is started by the agent only")
	}
	as, err := parseRunAs(args[0])
	if err != nil {
		return err
	}
	args = args[1:]
	syscall.CloseOnExec(fdGateOpen)
	syscall.CloseOnExec(fdGateError)
	open, failed := os.NewFile(fdGateOpen, "gate"), os.NewFile(fdGateError, "errors")
	if n, err := open.Read(make([]byte, 1)); n == 0 {
		return fmt.Errorf("the agent ended before this workload was noted; it was not started: %w", err)
	}
	if err = as.become(); err == nil {
		err = syscall.Exec(args[0], args[1:], os.Environ())
	}
	_, _ = fmt.Fprint(failed, err)
	return err
}

// become makes this process one of that user, for good. The groups go first: a process that is
// not root any more cannot change them.
func (r *runAs) become() error {
	if r == nil {
		return nil
	}
	err := syscall.Setgroups(r.groups)
	if err == nil {
		err = syscall.Setgid(r.gid)
	}
	if err == nil {
		err = syscall.Setuid(r.uid)
	}
	if err != nil {
		return fmt.Errorf("become user %d: %w", r.uid, err)
	}
	return nil
}

// gate is the agent's side of a gate.
type gate struct {
	opener, failed *os.File   // the agent's ends of the two pipes
	theirs         []*os.File // the other ends, until the process has them
}

// gated makes a command that waits behind a gate. The caller closes the gate in any case: when
// it was not opened, closing it ends the process.
func gated(as *runAs, command []string) (*exec.Cmd, *gate, error) {
	program := command[0]
	if !strings.Contains(program, "/") {
		found, err := exec.LookPath(program)
		if err != nil {
			return nil, nil, err
		}
		program = found
	}
	waits, opener, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	failed, fails, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, waits.Close(), opener.Close())
	}
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: append([]string{"jujud", GateCommand, as.String(), program}, command...),
		ExtraFiles: []*os.File{waits, fails},
	}
	return cmd, &gate{opener: opener, failed: failed, theirs: cmd.ExtraFiles}, nil
}

// open lets the process execute the program, and returns why it could not. It knows by the
// pipe of errors: that is closed, with nothing in it, when the program has started.
func (g *gate) open() error {
	for _, f := range g.theirs {
		_ = f.Close()
	}
	if _, err := g.opener.Write([]byte{1}); err != nil {
		return fmt.Errorf("start it behind its gate: %w", err)
	}
	why, err := io.ReadAll(g.failed)
	if err == nil && len(why) > 0 {
		err = errors.New(string(why))
	}
	return err
}

func (g *gate) close() {
	for _, f := range append([]*os.File{g.opener, g.failed}, g.theirs...) {
		_ = f.Close()
	}
}
