package host

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrLocked is what the error of [TryLock] is when another process holds the lock.
var ErrLocked = errors.New("locked by another process")

// heldError is an ErrLocked that says who holds which lock.
type heldError struct{ path, pid string }

func (e *heldError) Error() string        { return e.path + " is held by process " + e.pid }
func (e *heldError) Is(target error) bool { return target == ErrLocked }

// Lock takes the lock file at path for this process, and waits until it is free. The kernel
// gives the lock back when the process ends, however it ends; a lock file that was left
// behind is therefore no lock. The holder's PID stands in the file, for people.
func Lock(path string) (unlock func(), err error) { return lock(path, unix.LOCK_EX) }

// TryLock is [Lock] without the wait: a lock that is held is [ErrLocked], and the error
// names the process that holds it.
func TryLock(path string) (unlock func(), err error) { return lock(path, unix.LOCK_EX|unix.LOCK_NB) }

func lock(path string, how int) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	err = flock(f, how)
	if errors.Is(err, unix.EWOULDBLOCK) {
		held := &heldError{path: path, pid: holder(f)}
		_ = f.Close()
		return nil, held
	}
	if err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%-19d\n", os.Getpid()), 0)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, errors.Join(err, f.Close()))
	}
	return func() { _ = f.Close() }, nil
}

// flock tries again when a signal interrupts it, as it does while it waits.
func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// holder reads the PID that the holder wrote into its lock file.
func holder(f *os.File) string {
	pid := make([]byte, 20)
	n, _ := f.ReadAt(pid, 0)
	return strings.TrimSpace(string(pid[:n]))
}
