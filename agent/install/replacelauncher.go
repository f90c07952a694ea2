package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jujube-project/jujube/host"
)

// RunningLauncher is the program of the process that holds the data directory.
func (l Layout) RunningLauncher() (string, error) {
	holder, err := os.ReadFile(l.LockFile())
	if err == nil {
		var exe string
		exe, err = os.Readlink(filepath.Join("/proc", strings.TrimSpace(string(holder)), "exe"))
		if err == nil {
			return strings.TrimSuffix(exe, " (deleted)"), nil
		}
	}
	return "", fmt.Errorf("find the launcher that runs on %s: %w; nothing was changed; name the file: --to PATH", l.Dir, err)
}

// PreviousSuffix is behind the name of the launcher that was replaced.
const PreviousSuffix = ".previous"

// tryTimeout bounds how long a copy may take to say its version.
const tryTimeout = 20 * time.Second

// ReplaceLauncher puts a copy of the program exe in the place of the launcher at to, and
// keeps the old one beside it. The order of the steps leaves a whole program at to after a
// crash at any of them: the copy is durable and has run before the rename, which is one
// step; the old one gets its second name before that.
func ReplaceLauncher(ctx context.Context, exe, to string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("replace %s: %w; it was not changed", to, err)
		}
	}()
	from, err := os.Stat(exe)
	if err != nil {
		return err
	}
	if old, err := os.Stat(to); err == nil && (os.SameFile(from, old) || !old.Mode().IsRegular()) {
		return errors.New("it is this very file, or no file")
	}
	fresh := to + ".new"
	defer func() { err = errors.Join(err, ignoreMissing(os.Remove(fresh))) }()
	if err := copyProgram(exe, fresh); err != nil {
		return err
	}
	if err := sameVersion(ctx, exe, fresh); err != nil {
		return err
	}
	if err := ignoreMissing(os.Remove(to + PreviousSuffix)); err != nil {
		return err
	}
	if err := ignoreMissing(os.Link(to, to+PreviousSuffix)); err != nil {
		return err
	}
	if err := os.Rename(fresh, to); err != nil {
		return err
	}
	return host.SyncDir(host.OS{}, filepath.Dir(to))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// copyProgram copies a program durably. What an earlier try left under the name is replaced,
// and not written to: it may be running.
func copyProgram(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	return host.WriteStream(to, 0o755, func(w io.Writer) error {
		_, err := io.Copy(w, src)
		return err
	})
}

// sameVersion runs the copy in the directory where it will stay: a FORCE-VERSION file there
// would count for it, too.
func sameVersion(ctx context.Context, exe, fresh string) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	want, err := exec.CommandContext(ctx, exe, "version").Output()
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w", exe, err)
	}
	got, err := exec.CommandContext(ctx, fresh, "version").Output()
	if err != nil {
		return fmt.Errorf("the copy does not run: %w", err)
	}
	if is, wanted := strings.TrimSpace(string(got)), strings.TrimSpace(string(want)); is != wanted {
		return fmt.Errorf("the copy says that it is %s, not %s: look for a FORCE-VERSION file beside it", is, wanted)
	}
	return nil
}
