// Package confine makes a process of root the process of a user who may do nothing on the host.
package confine

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// User is a user and his group, neither of them root's.
type User struct{ ID, Group int }

// Lookup finds a user of this host.
func Lookup(name string) (User, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return User{}, err
	}
	n, err := strconv.Atoi(u.Uid)
	g, errGroup := strconv.Atoi(u.Gid)
	if err = errors.Join(err, errGroup); err == nil && (n == 0 || g == 0) {
		err = fmt.Errorf("the user %s is root", name)
	}
	return User{n, g}, err
}

// Become makes this process, which is root still, the process of that user, and takes from it
// for ever what it does not need to speak over the network: more privileges, writing files,
// executing programs, signals and abstract sockets of other processes. What this kernel does not
// know is left out, and so is what it does not let this process do, which rest names. The user is not.
//
// It comes before anything is read from anybody.
func Become(to User) (rest, err error) {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return nil, fmt.Errorf("write no core: %w", err)
	}
	// The order matters: with the user go the privileges to change groups.
	if err := errors.Join(
		syscall.Setgroups(nil), syscall.Setresgid(to.Group, to.Group, to.Group), syscall.Setresuid(to.ID, to.ID, to.ID),
	); err != nil {
		return nil, fmt.Errorf("become the user %d: %w", to.ID, err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("keep others of the user %d out: %w", to.ID, err)
	}
	return noMore(), nil
}

// What Landlock takes away, by the version of the kernel's interface that brought it (landlock(7)).
// No rule gives any of it back.
func denied(version int) unix.LandlockRulesetAttr {
	d := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_CHAR |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SYM}
	if version >= 3 {
		d.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 6 {
		d.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	return d
}

// noMore restricts every thread of this process. In a program that links C (a test with the race
// detector) Go cannot do that: there, as on a kernel without Landlock, the user alone confines it.
func noMore() error {
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if errno == syscall.ENOTSUP {
		return nil
	}
	if errno != 0 {
		return fmt.Errorf("give up new privileges: %w", errno)
	}
	version, _, errno := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return nil
	}
	d := denied(int(version))
	ruleset, _, errno := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&d)), landlockSize(int(version)), 0)
	if errno != 0 {
		return fmt.Errorf("restrict this process: %w", errno)
	}
	defer func() { _ = unix.Close(int(ruleset)) }()
	if _, _, errno = syscall.AllThreadsSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		return fmt.Errorf("restrict this process: %w", errno)
	}
	return nil
}

// landlockSize is how much of a LandlockRulesetAttr a version of the interface has.
func landlockSize(version int) uintptr {
	switch {
	case version >= 6:
		return 24
	case version >= 4:
		return 16
	}
	return 8
}
