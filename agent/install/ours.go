package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jujube-project/jujube/host"
)

// Ours refuses a data directory in which another user could have put, or could change, what
// this program reads, writes or executes as root. It refuses one above which somebody else
// could rename a directory (host.CheckDirectory), what another user owns or may write, what is
// neither a file nor a directory, and symbolic links, except those in tools/. It does not look
// into the directories of units: a workload does there what it wants. A directory that does
// not exist is accepted.
func Ours(dir string) error {
	if err := host.CheckDirectory(dir); err != nil {
		return fmt.Errorf("use the data directory: %w", err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // somebody removed it meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			err = notOurs(dir, path, info)
		}
		if err != nil {
			return err
		}
		if d.IsDir() && filepath.Dir(path) == filepath.Join(dir, "agents") && strings.HasPrefix(d.Name(), "unit-") {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("use the data directory %s: %w; nothing was read or written there", dir, err)
	}
	return nil
}

// notOurs says why one file or directory is refused; nil: it is accepted.
func notOurs(dir, path string, info fs.FileInfo) error {
	kind := info.Mode().Type()
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s is user %d's: find out who put it there; chown it, or remove it", path, st.Uid)
	}
	switch {
	case kind == fs.ModeSymlink && filepath.Dir(path) == filepath.Join(dir, "tools"): // Current says whether it leads outside
		return nil
	case kind == fs.ModeSymlink:
		return fmt.Errorf("%s is a symbolic link: find out who put it there, and name the place itself (--data-dir)", path)
	case kind != 0 && kind != fs.ModeDir:
		return fmt.Errorf("%s is neither a file nor a directory (%v): find out who put it there, and remove it", path, info.Mode())
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%s can be written by others (%v): chmod go-w %s, and look what they have left", path, info.Mode().Perm(), path)
	}
	return nil
}
