package bustest

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Disk is a small file system of its own, which a test can fill.
type Disk struct {
	Dir string
	t   testing.TB
}

// SmallDisk mounts a file system of so many bytes in memory, until the test ends. Only root can, so
// the test is skipped for anybody else.
func SmallDisk(t testing.TB, bytes string) *Disk {
	t.Helper()
	d := &Disk{Dir: t.TempDir(), t: t}
	if err := unix.Mount("tmpfs", d.Dir, "tmpfs", 0, "mode=700,size="+bytes); err != nil {
		t.Skipf("this host does not let the test mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(d.Dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *Disk) file() string { return filepath.Join(d.Dir, "FILL") }

// Fill leaves so many bytes free, as somebody else on the host might. Filled to the last byte, nothing more
// can be written.
func (d *Disk) Fill(left int64) {
	d.t.Helper()
	f, err := os.OpenFile(d.file(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for block := make([]byte, 4<<10); d.Free() > left; {
		if _, err := f.Write(block); errors.Is(err, unix.ENOSPC) || errors.Is(err, io.ErrShortWrite) {
			return
		} else if err != nil {
			d.t.Fatal(err)
		}
	}
}

// Empty removes what Fill wrote.
func (d *Disk) Empty() {
	d.t.Helper()
	if err := os.Remove(d.file()); err != nil {
		d.t.Fatal(err)
	}
}

// Free is how many bytes are free.
func (d *Disk) Free() int64 {
	d.t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(d.Dir, &st); err != nil {
		d.t.Fatal(err)
	}
	return int64(st.Bavail) * st.Bsize
}
