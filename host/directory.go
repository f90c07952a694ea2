package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Directory is a directory in whose place nobody else can put another one: every directory
// above it, and itself, belongs to root or to this user, and no others can write to it.
// Whoever can rename a parent chooses what lies under the name, also after the look at it;
// for a process of root that reads its programs there, he is root.
type Directory struct {
	path string
	file *os.File // O_PATH
}

// ErrNotOurs is what an error is when somebody else could change or exchange a directory or a
// file. The message says which, whose it is, its mode, and what to do.
var ErrNotOurs = errors.New("somebody else could change or exchange it")

// notOursError is an ErrNotOurs with a message of its own.
type notOursError string

func (e notOursError) Error() string        { return string(e) }
func (e notOursError) Is(target error) bool { return target == ErrNotOurs }

func notOurs(format string, args ...any) error { return notOursError(fmt.Sprintf(format, args...)) }

// OpenDirectory walks to a directory from the root of the file system, one name at a time,
// and holds what each name led to while it looks at it. It follows a symbolic link if that
// belongs to root or to this user. fs.ErrNotExist: what exists of the path was accepted.
func OpenDirectory(path string) (*Directory, error) { return openDirectory(path, false) }

// MakeDirectory is OpenDirectory for a directory that need not exist: what is missing of the
// path is made, mode 0700, below parents that were accepted.
func MakeDirectory(path string) error {
	d, err := openDirectory(path, true)
	if err != nil {
		return err
	}
	return d.Close()
}

// CheckDirectory is OpenDirectory for those who only ask. A directory that does not exist is
// accepted if its parents are.
func CheckDirectory(path string) error {
	d, err := OpenDirectory(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.Close()
}

func openDirectory(path string, missing bool) (*Directory, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	f, err := walkTo(abs, missing)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &Directory{path: abs, file: f}, nil
}

// Again walks to the directory anew. It returns an error if one of its parents is not accepted
// any more, or if another directory lies under the name now.
func (d *Directory) Again() error {
	now, err := OpenDirectory(d.path)
	if err != nil {
		return err
	}
	defer func() { _ = now.Close() }()
	before, err := d.file.Stat()
	if err != nil {
		return err
	}
	after, err := now.file.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(before, after) {
		return notOurs("open %s: another directory lies there than the one that was opened; nothing was read or written there; "+
			"find out who moved it, and put it back, or start this anew", d.path)
	}
	return nil
}

// Close gives the descriptor back.
func (d *Directory) Close() error { return d.file.Close() }

// maxLinks is how many symbolic links a path may have. Source: path_resolution(7).
const maxLinks = 40

// walkTo opens an absolute path, with O_PATH.
func walkTo(path string, missing bool) (*os.File, error) {
	at, err := openRoot()
	if err != nil {
		return nil, err
	}
	links := 0
	for names := strings.Split(path, "/"); len(names) > 0; {
		name := names[0]
		if names = names[1:]; name == "" || name == "." {
			continue
		}
		next, target, err := step(at, name, missing)
		if err == nil && target != "" {
			if links++; links > maxLinks {
				err = fmt.Errorf("%s: %w", next.Name(), unix.ELOOP)
			}
			names = append(strings.Split(target, "/"), names...)
			_ = next.Close()
			if next = at; err == nil && filepath.IsAbs(target) {
				next, err = openRoot()
			}
		}
		if next != at {
			_ = at.Close()
		}
		if err != nil {
			if next != nil {
				_ = next.Close()
			}
			return nil, err
		}
		at = next
	}
	return at, nil
}

func openRoot() (*os.File, error) { return openAt(unix.AT_FDCWD, "/", "/") }

// step goes to one name in an open directory. target is not empty if that is a symbolic link.
func step(at *os.File, name string, missing bool) (next *os.File, target string, err error) {
	path := filepath.Join(at.Name(), name)
	next, err = openAt(int(at.Fd()), name, path)
	if errors.Is(err, fs.ErrNotExist) && missing {
		if err = unix.Mkdirat(int(at.Fd()), name, 0o700); err == nil || errors.Is(err, unix.EEXIST) {
			next, err = openAt(int(at.Fd()), name, path)
		}
	}
	if err != nil {
		return nil, "", err
	}
	info, err := next.Stat()
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		buf := make([]byte, unix.PathMax)
		var n int
		n, err = unix.Readlinkat(int(next.Fd()), "", buf)
		target = string(buf[:max(n, 0)])
	}
	if err != nil {
		return nil, "", errors.Join(err, next.Close())
	}
	return next, target, nil
}

// openAt opens one name with O_PATH, without following it, and refuses what somebody else
// could exchange or fill.
func openAt(dir int, name, path string) (*os.File, error) {
	fd, err := unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	info, err := f.Stat()
	if err == nil {
		err = ownDirectory(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ownDirectory says why a directory on the way, or a link, is refused.
func ownDirectory(path string, info fs.FileInfo) error {
	mode := info.Mode()
	if mode&fs.ModeSymlink == 0 && !mode.IsDir() {
		return &fs.PathError{Op: "open", Path: path, Err: unix.ENOTDIR}
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return notOurs("%s is user %d's (mode %v), who can put something else there; nothing was read or written; "+
			"make it root's or your own (chown), or choose a place where all directories above are", path, st.Uid, mode)
	}
	if mode&fs.ModeSymlink == 0 && writableByOthers(mode, st) {
		return notOurs("%s can be written by others (mode %v; it is user %d's, of group %d), who can put something else there; "+
			"nothing was read or written; `chmod go-w %s`, or choose another place", path, mode, st.Uid, st.Gid, path)
	}
	return nil
}

// writableByOthers says whether others than the owner can rename what lies in a directory. In
// a sticky directory, as /tmp is, only the owner of a file can rename it. A group of the number
// of the owner is the owner's own, as useradd makes it for everybody (login.defs(5),
// USERGROUPS_ENAB); with the umask that goes with it, all that he makes is writable by it.
func writableByOthers(mode fs.FileMode, st *syscall.Stat_t) bool {
	switch {
	case mode&fs.ModeSticky != 0:
		return false
	case mode&0o002 != 0:
		return true
	}
	return mode&0o020 != 0 && st.Gid != st.Uid
}
