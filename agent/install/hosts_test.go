package install_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent/install"
)

// smallDisk mounts a file system of that size in memory. Only root may do that.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("not shown: that a full disk leaves the old version running; mounting a small one needs root: %v", err)
	}
	t.Cleanup(func() { check(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

// fill leaves so many bytes free.
func fill(t *testing.T, dir string, free int64) {
	t.Helper()
	var st unix.Statfs_t
	check(t, unix.Statfs(dir, &st))
	f, err := os.Create(filepath.Join(dir, "ballast"))
	check(t, err)
	if size := int64(st.Bavail)*int64(st.Bsize) - free; size > 0 {
		check(t, unix.Fallocate(int(f.Fd()), 0, 0, size))
	}
	check(t, f.Close())
}

// upgrade does what an order makes the agent do on the disk, up to the switch.
func upgrade(l install.Layout, content string) error {
	to, packed, err := pack(newer, content)
	if err != nil {
		return err
	}
	d, err := l.Download(to)
	if err != nil {
		return err
	}
	_, err = d.Write(packed[d.Have:])
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	if err := l.Stage(to); err != nil {
		return err
	}
	j := install.Journal{Phase: install.PhaseTrial, Good: old, Trial: &install.Trial{}, Order: &install.Order{ID: "o1", Tools: to}}
	if err := l.WriteJournal(j); err != nil {
		return err
	}
	return l.Switch(newer)
}

// A disk that is full from the start is refused before anything is fetched.
func TestADiskThatIsTooSmallIsRefusedFirst(t *testing.T) {
	l := hostIn(t, smallDisk(t, 40<<20))
	fill(t, l.Dir, 20<<20)
	to, _, err := pack(newer, "the new jujud")
	check(t, err)
	if _, err := l.Download(to); !errors.Is(err, install.ErrNoSpace) || !strings.Contains(err.Error(), "the upgrade needs") {
		t.Fatalf("the download: %v, want ErrNoSpace and the figures", err)
	}
	if names, err := os.ReadDir(l.Staging()); err != nil || len(names) > 0 {
		t.Fatalf("of the download there is %v, %v", names, err)
	}
	wantLink(t, l, old)
}

// The disk fills up before a step, for every step and for ten amounts of free space. The step that
// finds the disk full says so, and the old version can be run. The same order succeeds when there is
// space.
func TestADiskThatFillsUp(t *testing.T) {
	content := strings.Repeat("the new jujud ", 10_000)
	dir := smallDisk(t, 36<<20)
	to, packed, err := pack(newer, content)
	check(t, err)
	full := map[string]int{}
	for n := range 40 {
		l := hostIn(t, filepath.Join(dir, fmt.Sprint(n)))
		var d *install.Download
		steps := []struct {
			name string
			do   func() error
		}{
			{"download", func() (err error) { d, err = l.Download(to); return err }},
			{"write", func() error { _, err := d.Write(packed); return errors.Join(err, d.Close()) }},
			{"stage", func() error { return l.Stage(to) }},
			{"journal", func() error { return l.WriteJournal(install.Journal{Good: old, Last: strings.Repeat("x", 5000)}) }},
			{"switch", func() error { return l.Switch(newer) }},
		}
		for i, step := range steps {
			if i == 1+n%4 {
				fill(t, l.Dir, int64(n/4)*(4<<10))
			}
			if err = step.do(); err != nil {
				full[step.name]++
				break
			}
		}
		if err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("%d KiB free: %v, want a full disk", n, err)
			}
			wantLink(t, l, old)
			check(t, os.Remove(filepath.Join(l.Dir, "ballast")), upgrade(l, content))
		}
		wantLink(t, l, newer)
		check(t, os.RemoveAll(l.Dir))
	}
	t.Logf("found the disk full: %v", full)
	if full["stage"] == 0 || full["journal"] == 0 {
		t.Errorf("the sizes do not reach every step: %v", full)
	}
}

// On a file system that cannot be written the old version stays, and can be read.
func TestAReadOnlyDisk(t *testing.T) {
	l := hostIn(t, smallDisk(t, 64<<20))
	check(t, unix.Mount("", l.Dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	to, _, err := pack(newer, "the new jujud")
	check(t, err)
	if _, err := l.Download(to); !errors.Is(err, syscall.EROFS) {
		t.Fatalf("download: %v, want a read-only file system", err)
	}
	for name, err := range map[string]error{"journal": l.WriteJournal(install.Journal{}), "adopt": l.Adopt(filepath.Join(l.Dir, "installed", "jujud"), newer)} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %v, want a read-only file system", name, err)
		}
	}
	wantLink(t, l, old)
	check(t, l.Switch(old)) // there is nothing to write
	check(t, unix.Mount("", l.Dir, "", unix.MS_REMOUNT, ""), upgrade(l, "the new jujud"))
	wantLink(t, l, newer)
}
