package install_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/tools/archive/hostile"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
)

// watchedDisk sees how much is written to files at the same time, and where.
type watchedDisk struct {
	host.Disk
	outside []string // files that were made elsewhere than in a staging directory
	written int64
}

func (d *watchedDisk) Create(path string, mode fs.FileMode) (host.File, error) {
	if !strings.Contains(path, "/tools/") {
		d.outside = append(d.outside, path)
	}
	f, err := d.Disk.Create(path, mode)
	if err != nil {
		return nil, err
	}
	return &watchedFile{f, d}, nil
}

type watchedFile struct {
	host.File
	disk *watchedDisk
}

func (f *watchedFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	f.disk.written += int64(n)
	return n, err
}

// An archive was ordered and has the right digest, but its content is hostile. It is refused as a
// whole. Nothing is written outside the staging directory, and only the archive itself stays in it.
// A bomb never unpacks.
func TestBI92HostileArchivesAreNotStaged(t *testing.T) {
	for name, data := range hostile.Archives(t, "the new jujud") {
		t.Run("BI-92 "+name, func(t *testing.T) {
			dir := t.TempDir()
			l := hostIn(t, filepath.Join(dir, "a", "b", "c"))
			disk := &watchedDisk{Disk: host.OS{}}
			v, err := version.ParseBinary(newer)
			check(t, err)
			to := tools.Tools{Version: v, Size: int64(len(data)), SHA256: fmt.Sprintf("%x", sha256.Sum256(data))}
			d, err := l.Download(to)
			check(t, err)
			_, err = d.Write(data)
			check(t, err, d.Close())
			before := tree(t, dir)
			l.Disk = disk
			if err := l.Stage(to, old); !errors.Is(err, archive.ErrArchive) {
				t.Fatalf("BI-92: staging it: %v, want ErrArchive", err)
			}
			part := filepath.Join(l.Staging(), to.SHA256+".part")
			if after := tree(t, dir); !slices.Equal(after, before) {
				t.Errorf("BI-92: before there was\n%s\nafter it\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
			} else if !slices.Contains(after, part) {
				t.Errorf("the archive itself is gone: %q", after)
			}
			if len(disk.outside) > 0 || disk.written > 16<<20 {
				t.Errorf("BI-92: %d bytes were written, and outside staging %q", disk.written, disk.outside)
			}
			wantLink(t, l, old)
		})
	}
}

// tree is every name below dir.
func tree(t *testing.T, dir string) (names []string) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	}))
	return names
}
