package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// How much of a workload's output is kept: its log, and copiesOfLog older files of about
// this size.
const (
	defaultLogBytes = 10 << 20
	copiesOfLog     = 3
)

// rotateLog moves what is in a log to LOG.1 when it is longer than limit, and the older
// ones on to LOG.2 and so on. The workload goes on writing to the same open file: it is no
// pipe, so nobody has to read for the workload to live.
//
// On ext4 and XFS nothing is lost: the front of the file is cut off in whole blocks, while
// what is written meanwhile goes to the end, so LOG.2, LOG.1 and LOG read as one. Other
// file systems can only cut off everything, and lose what is written between the end of
// the copy and the cut.
func rotateLog(name string, limit int64) error {
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || info.Size() <= limit {
		return err
	}
	for i := copiesOfLog; i > 1; i-- {
		if err := os.Rename(copyOfLog(name, i-1), copyOfLog(name, i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	last := info.Size() - 1 // a front must end before the file does
	front := last - last%blockBytes
	if err := copyFront(f, copyOfLog(name, 1), front); err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_COLLAPSE_RANGE, 0, front)
	if err == nil {
		return nil
	}
	if err := copyRest(f, copyOfLog(name, 1), front); err != nil {
		return err
	}
	return f.Truncate(0)
}

// blockBytes is a multiple of every usual block size of file systems.
const blockBytes = 64 << 10

func copyOfLog(name string, n int) string { return fmt.Sprintf("%s.%d", name, n) }

// copyFront makes a copy of the first n bytes. One that could not be made is removed.
func copyFront(f *os.File, name string, n int64) error {
	to, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, io.NewSectionReader(f, 0, n))
	if err = errors.Join(err, to.Close()); err != nil {
		return errors.Join(fmt.Errorf("copy %s: %w", f.Name(), err), os.Remove(name))
	}
	return nil
}

// copyRest appends to the copy everything from offset n on, to the end as it is by then.
func copyRest(f *os.File, name string, n int64) error {
	to, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	if _, err = f.Seek(n, io.SeekStart); err == nil {
		_, err = io.Copy(to, f)
	}
	return errors.Join(err, to.Close())
}
