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

// A staged version is first run as a guest: for a while, with so much memory and so many
// processes, and nothing of it outlives that. What it does with the files that it may read
// is not confined; it is signed for, and was ordered.

// machines are the processors of ELF by the names that tools have.
var machines = map[string]elf.Machine{
	"amd64": elf.EM_X86_64, "i386": elf.EM_386, "386": elf.EM_386, "armhf": elf.EM_ARM, "arm": elf.EM_ARM,
	"arm64": elf.EM_AARCH64, "ppc64el": elf.EM_PPC64, "ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390,
}

// checkProgram refuses a file, before it is run, that is no program for the processor that
// its version names, or was not built by Go.
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
	tasks  int    // that may come up on the host meanwhile
}

var selfCheckConfines = confines{limits.SelfCheckTime, limits.SelfCheckMemory, limits.SelfCheckTasks}

// What ends a guest before its time.
var (
	errTooLong = errors.New("it took longer than it may")
	errTooMany = errors.New("it started more processes than it may")
)

// lookEvery is how often the processes are counted.
const lookEvery = 10 * time.Millisecond

// run runs a program as a guest. One that was just written may be busy for a moment,
// when another process forked while the file was open.
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
			ownPIDs = false // this host gives no process numbers of their own
			continue
		}
		if cause := context.Cause(ctx); err != nil && (errors.Is(cause, errTooLong) || errors.Is(cause, errTooMany)) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return out, err
	}
}

// guest runs a program once. With process numbers of its own everything that it starts ends
// with it, whatever it does; without, all of its process group.
func (c confines) guest(ctx context.Context, ownPIDs bool, exe string, args ...string) ([]byte, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var out, errs opening
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second // for what holds its output open and is not ended with it
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
	_ = end() // what it left behind
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errTooMany) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	if err != nil {
		return append(out.Bytes(), errs.Bytes()...), err
	}
	return out.Bytes(), nil
}

// limit bounds a process that has just begun, and all that it starts. (prlimit(2))
// One that has ended already needs no bounds.
func (c confines) limit(pid int) {
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
	if c.memory > 0 {
		_ = unix.Prlimit(pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: c.memory, Max: c.memory}, nil)
	}
}

// tasks is how many processes and threads the host has. (proc_loadavg(5))
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

// opening keeps the beginning of an output.
type opening struct{ bytes.Buffer }

func (c *opening) Write(b []byte) (int, error) {
	_, err := c.Buffer.Write(b[:min(len(b), max(0, limits.SelfCheckOutput-c.Len()))])
	return len(b), err
}
