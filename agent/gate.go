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

// GateCommand is the command of jujud that a workload is at first: `jujud gate PROGRAM
// ARG0 [ARG...]`, started by the agent only.
const GateCommand = "gate"

// File descriptors of the gate's ends of the pipes.
const (
	fdGateOpen  = 3 // a byte: go on. The end: the agent is gone.
	fdGateError = 4 // why the program cannot be started; closed by starting it
)

// Gate waits until the agent that started this process has noted it, and then becomes the
// program: same PID, same start. It returns only when there is nothing to become.
func Gate(args []string) error {
	if len(args) < 2 {
		return errors.New("this command is started by the agent only")
	}
	syscall.CloseOnExec(fdGateOpen)
	syscall.CloseOnExec(fdGateError)
	open, failed := os.NewFile(fdGateOpen, "gate"), os.NewFile(fdGateError, "errors")
	if n, err := open.Read(make([]byte, 1)); n == 0 {
		return fmt.Errorf("the agent ended before this workload was noted; it was not started: %w", err)
	}
	err := syscall.Exec(args[0], args[1:], os.Environ())
	_, _ = fmt.Fprint(failed, err)
	return err
}

// gate is the agent's side.
type gate struct {
	opener, failed *os.File // ours
	theirs         []*os.File
}

// gated is a command behind a gate. Close the gate in any case.
func gated(command []string) (*exec.Cmd, *gate, error) {
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
		Path: "/proc/self/exe", Args: append([]string{"jujud", GateCommand, program}, command...),
		ExtraFiles: []*os.File{waits, fails},
	}
	return cmd, &gate{opener: opener, failed: failed, theirs: cmd.ExtraFiles}, nil
}

// open lets the process become the program, and says why it could not.
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
