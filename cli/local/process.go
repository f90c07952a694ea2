package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/host"
)

// readyTimeout is how long jujud may take until it is ready.
const readyTimeout = 90 * time.Second

// Start starts jujud in the background and waits until it says that it is ready, as systemd
// would. When it ends before that, the last lines of its log are the error. It reads secret
// from its standard input. started is when the process began: see Stop.
func (j Jujud) Start(ctx context.Context, logFile, secret string, args ...string) (pid int, started uint64, err error) {
	socket, err := listenNotify()
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = socket.Close() }()
	if err := os.MkdirAll(filepath.Dir(logFile), 0o700); err != nil {
		return 0, 0, err
	}
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(string(j), args...)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket.LocalAddr().String())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(secret), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return 0, 0, fmt.Errorf("start %s: %w", j, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ready := make(chan bool, 1)
	go waitReady(socket, cmd.Process.Pid, ready)
	select {
	case ok := <-ready:
		if !ok {
			err = fmt.Errorf("jujud cannot start; the end of %s:\n%s", logFile, LastLines(logFile, 3))
			break
		}
		ticks, err := host.StartTicks(cmd.Process.Pid)
		return cmd.Process.Pid, ticks, err
	case <-ended:
		return 0, 0, fmt.Errorf("jujud ended before it was ready; the end of %s:\n%s", logFile, LastLines(logFile, 8))
	case <-time.After(readyTimeout):
		err = fmt.Errorf("jujud was not ready within %v; see %s", readyTimeout, logFile)
	case <-ctx.Done():
		err = ctx.Err()
	}
	return 0, 0, errors.Join(err, Stop(cmd.Process.Pid, 0))
}

// listenNotify opens a socket that speaks systemd's notify protocol, with an abstract name, so
// that nothing is left on disk. Every process of the host can send to such a name; the kernel
// adds to each message who sent it (SO_PASSCRED, unix(7)).
func listenNotify() (*net.UnixConn, error) {
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: fmt.Sprintf("@jujube-notify-%d-%d", os.Getpid(), time.Now().UnixNano()), Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	raw, err := socket.SyscallConn()
	if err == nil {
		var set error
		err = raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) })
		err = errors.Join(err, set)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for jujud: %w", err), socket.Close())
	}
	return socket, nil
}

// waitReady reads from the socket until the process pid says that it is ready (true) or that its
// agent cannot start (false). What others send is dropped.
func waitReady(socket *net.UnixConn, pid int, ready chan bool) {
	text, control := make([]byte, 4096), make([]byte, unix.CmsgSpace(unix.SizeofUcred))
	for {
		n, oobn, _, _, err := socket.ReadMsgUnix(text, control)
		if err != nil {
			return
		}
		if !sentBy(pid, control[:oobn]) {
			continue
		}
		for line := range strings.Lines(string(text[:n])) {
			switch strings.TrimSpace(line) {
			case "READY=1":
				ready <- true
				return
			case "ERRNO=1":
				ready <- false
				return
			}
		}
	}
}

// sentBy says whether a message was sent by that process, as this user. A process can only give
// its own PID to a message, unless it is root.
func sentBy(pid int, control []byte) bool {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return false
	}
	for _, m := range messages {
		if cred, err := unix.ParseUnixCredentials(&m); err == nil {
			return int(cred.Pid) == pid && int(cred.Uid) == os.Geteuid()
		}
	}
	return false
}

// LastLines are the last n lines of a file, or why it cannot be read.
func LastLines(path string, n int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// stopPatience is how long a process may take to end before it is killed.
const stopPatience = 30 * time.Second

// Stop ends a process that this client started: it asks it to end, and kills it when it
// does not. A process that has ended, or whose PID belongs to another process by now, because
// that one began at another time than started, is left alone.
func Stop(pid int, started uint64) error {
	if pid <= 0 {
		return nil
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("stop process %d: %w", pid, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if ticks, err := host.StartTicks(pid); err != nil || (started != 0 && ticks != started) {
		return nil
	}
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("stop process %d: %w", pid, err)
		}
		if ended(fd, stopPatience) {
			return nil
		}
	}
	return fmt.Errorf("stop process %d: it does not end", pid)
}

// ended waits until the process behind a pidfd has ended, and says whether it has. A pidfd
// names the process itself: it never names another one that got the same PID later.
func ended(fd int, patience time.Duration) bool {
	deadline := time.Now().Add(patience)
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return false
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
		if err == nil && n > 0 {
			return true
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return false
		}
	}
}
