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

// RunningLauncher finds the program file of the launcher that runs on the data directory: of
// the process that holds the lock. It does not believe a lock in another user's directory: he
// could name any process there, and have its program replaced.
func (l Layout) RunningLauncher() (string, error) {
	holder, err := host.ReadPinned(l.LockFile())
	if err == nil {
		var exe string
		exe, err = os.Readlink(filepath.Join("/proc", strings.TrimSpace(string(holder)), "exe"))
		if err == nil {
			return strings.TrimSuffix(exe, " (deleted)"), nil
		}
	}
	return "", fmt.Errorf("find the launcher that runs on %s: %w; nothing was changed; name the file: --to PATH", l.Dir, err)
}

// PreviousSuffix ends the name under which the launcher that was replaced is kept.
const PreviousSuffix = ".previous"

// tryTimeout is how long the new program may take to say its version.
const tryTimeout = 20 * time.Second

// ReplaceLauncher puts a copy of the program exe in the place of the launcher at to, and keeps
// the old one beside it, with PreviousSuffix. The launcher that runs goes on with the old
// program until it is restarted.
//
// After a crash at any step, to is a complete program. The copy is made durable first and run
// once. Then the old program gets its second name. Then one rename puts the copy in place.
func ReplaceLauncher(ctx context.Context, exe, to string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("replace %s: %w; it was not changed", to, err)
		}
	}()
	if err := host.CheckDirectory(filepath.Dir(to)); err != nil {
		return err
	}
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

// copyProgram copies a program durably. If an earlier try left a file under the name to, it is
// replaced by a new file and never written to: that file may be running.
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

// sameVersion checks that the copy runs and is of the version that exe is of. It runs the copy
// in the directory where the copy will stay, because a FORCE-VERSION file there changes the
// version that it says.
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
