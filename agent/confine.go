package agent

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/version"
)

// A staged version is run for the first time, for its self-test, as a guest: its time, its memory
// and the number of its processes are bounded, and all of its processes are killed afterwards.
// Which files it may read and write is not bounded: its bytes are signed, and it was ordered.

// machines gives, for each name of an architecture in tools, the processor that an ELF file is for.
var machines = map[string]elf.Machine{
	"amd64": elf.EM_X86_64, "i386": elf.EM_386, "386": elf.EM_386, "armhf": elf.EM_ARM, "arm": elf.EM_ARM,
	"arm64": elf.EM_AARCH64, "ppc64el": elf.EM_PPC64, "ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390,
}

// checkProgram looks at a file before it is run. It refuses one that is not a program for the
// architecture of its version and of this host, or that was not built by Go.
func checkProgram(exe string, want version.Binary) (code string, err error) {
	f, err := elf.Open(exe)
	if err != nil {
		return events.CodeNotExecutable, fmt.Errorf("%s is no program: %w", filepath.Base(exe), err)
	}
	defer func() { _ = f.Close() }()
	for _, arch := range []string{want.Arch, runtime.GOARCH} {
		if machine, known := machines[arch]; known && f.Machine != machine {
			return events.CodeArchMismatch, fmt.Errorf("it is a program for %v, %s on this machine needs one for %v", f.Machine, want, machine)
		}
	}
	if _, err := buildinfo.ReadFile(exe); err != nil {
		return events.CodeFormat, fmt.Errorf("%s does not say how it was built: %w", filepath.Base(exe), err)
	}
	return "", nil
}

// confines are the bounds of a guest.
type confines struct {
	time   time.Duration
	memory uint64 // bytes of address space of each of its processes; 0: no bound
	tasks  int    // how many processes and threads the host may have more than before
}

var selfCheckConfines = confines{limits.SelfCheckTime, limits.SelfCheckMemory, limits.SelfCheckTasks}

// Why a guest was killed.
var (
	errTooLong = errors.New("it took longer than it may")
	errTooMany = errors.New("it started more processes than it may")
)

// lookEvery is the time between two counts of the host's processes.
const lookEvery = 10 * time.Millisecond

// run runs a program as a guest and returns its output.
//
// It tries again on two errors. ETXTBSY: another process was forked while the program's file
// was open for writing, and holds it open for a moment. EPERM, ENOSYS, EINVAL: this host gives
// no PID namespace, and the guest is run without one.
func (c confines) run(ctx context.Context, exe string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.time, fmt.Errorf("%w: %v", errTooLong, c.time))
	defer cancel()
	ownPIDs := os.Geteuid() == 0
	for {
		out, err := c.guest(ctx, ownPIDs, exe, args...)
		switch {
		case errors.Is(err, syscall.ETXTBSY):
			select {
			case <-time.After(20 * time.Millisecond):
				continue
			case <-ctx.Done():
			}
		case ownPIDs && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EINVAL)):
			ownPIDs = false
			continue
		}
		if cause := context.Cause(ctx); err != nil && (errors.Is(cause, errTooLong) || errors.Is(cause, errTooMany)) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return out, err
	}
}

// guest runs a program once. In a PID namespace of its own (ownPIDs) everything that it started
// is killed when it ends. Without a namespace its process group is killed, which does not reach
// a process that left the group.
func (c confines) guest(ctx context.Context, ownPIDs bool, exe string, args ...string) ([]byte, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var out, errs opening
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second // do not wait longer for a process that outlives it and holds its output open
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if ownPIDs {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
	}
	end := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = end
	before := tasks()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c.limit(cmd.Process.Pid)
	over := make(chan struct{})
	go func() {
		look := time.NewTicker(lookEvery)
		defer look.Stop()
		for {
			select {
			case <-over:
				return
			case <-look.C:
				if tasks() > before+c.tasks {
					stop(fmt.Errorf("%w: %d", errTooMany, c.tasks))
					return
				}
			}
		}
	}()
	err := cmd.Wait()
	close(over)
	_ = end() // the processes that it left behind
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errTooMany) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	if err != nil {
		return append(out.Bytes(), errs.Bytes()...), err
	}
	return out.Bytes(), nil
}

// limit bounds a process that has just begun, and every process that it starts (prlimit(2)). It
// ignores errors: the process may have ended already.
func (c confines) limit(pid int) {
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
	if c.memory > 0 {
		_ = unix.Prlimit(pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: c.memory, Max: c.memory}, nil)
	}
}

// tasks is how many processes and threads the host has (proc_loadavg(5)); 0 where it cannot be
// read.
func tasks() (n int) {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 4 {
		return 0
	}
	_, _ = fmt.Sscanf(fields[3], "%d/%d", new(int), &n)
	return n
}

// opening keeps the beginning of an output and drops the rest.
type opening struct{ bytes.Buffer }

func (c *opening) Write(b []byte) (int, error) {
	_, err := c.Buffer.Write(b[:min(len(b), max(0, limits.SelfCheckOutput-c.Len()))])
	return len(b), err
}
