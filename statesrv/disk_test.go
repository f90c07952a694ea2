package statesrv

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
)

// A disk can also run out of files, and it can be filled between two looks: then the reserve gives way.
func TestB14FilesAndTheReserve(t *testing.T) {
	disk := bustest.SmallDisk(t, "96m,nr_inodes=300")
	opened := 0
	r := newRoom(&Config{StoreDir: disk.Dir, Reopen: func() error { opened++; return nil }, Logger: slog.New(slog.DiscardHandler)})
	if info, err := os.Stat(filepath.Join(disk.Dir, "reserve")); err != nil || info.Size() != limits.DiskReserve {
		t.Fatalf("the reserve is %v, %v", info, err)
	}
	left := func() uint64 {
		var st unix.Statfs_t
		if err := unix.Statfs(disk.Dir, &st); err != nil {
			t.Fatal(err)
		}
		return st.Ffree
	}
	made := []string{}
	more := func() {
		made = append(made, filepath.Join(disk.Dir, fmt.Sprint(len(made))))
		if err := os.WriteFile(made[len(made)-1], nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for left() > limits.DiskFiles {
		more()
	}
	if why := r.left(); why != nil {
		t.Errorf("with room for %d files: %v", left(), why)
	}
	more()
	if why := r.left(); why == nil || why.Code != events.CodeDiskFull || !r.isFull() {
		t.Errorf("with room for %d files: %v", left(), why)
	}
	for _, name := range made {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if why := r.left(); why != nil || opened != 1 {
		t.Errorf("with room again: %v, the store was opened %d times", why, opened)
	}

	disk.Fill(0)
	if r.mend(); disk.Free() != limits.DiskReserve || opened != 2 {
		t.Errorf("%d bytes gave way, the store was opened %d times", disk.Free(), opened)
	}
	disk.Fill(0)
	if r.mend(); opened != 2 {
		t.Error("the store is opened on a disk where nothing can give way")
	}
	if disk.Empty(); r.left() != nil || disk.Free() > 96<<20-limits.DiskReserve {
		t.Error("the reserve is not made again")
	}
}
