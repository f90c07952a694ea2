package main

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

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/host"
)

func (o *options) installLauncherCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "install-launcher", Short: "Make this jujud the one that the machine's service starts.", Args: noArgs,
		Long: `Replace the installed jujud, which is the launcher and the last resort of this machine,
by this one. Agents are upgraded by orders; the launcher is not, only by this command or by
the operating system's package. The copy is tried, then it takes the old one's place in one
step; the old one stays beside it as jujud.previous. The launcher that runs goes on until
the service is restarted.

Without --to it replaces the program of the launcher that runs on the data directory.`,
		Example: "  /tmp/jujud install-launcher\n  /tmp/jujud install-launcher --to /usr/local/bin/jujud",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				running, err := runningLauncher(install.Layout{Dir: o.dataDir})
				if err != nil {
					return err
				}
				to = running
			}
			exe, err := os.Executable()
			if err != nil {
				return err
			}
			if err := installLauncher(cmd.Context(), exe, to); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is the new launcher, from the next start of its service on; the old one is %s\n", to, to+previousSuffix)
			return err
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the file to replace (default: the program of the running launcher)")
	return cmd
}

// runningLauncher is the program of the process that holds the data directory.
func runningLauncher(l install.Layout) (string, error) {
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

const (
	previousSuffix = ".previous"
	tryTimeout     = 20 * time.Second
)

// installLauncher puts a copy of exe in the place of the program at to, which is never
// missing and never half there.
func installLauncher(ctx context.Context, exe, to string) (err error) {
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
	if err := copyDurably(exe, fresh); err != nil {
		return err
	}
	if err := sameVersion(ctx, exe, fresh); err != nil {
		return err
	}
	if err := ignoreMissing(os.Remove(to + previousSuffix)); err != nil {
		return err
	}
	if err := ignoreMissing(os.Link(to, to+previousSuffix)); err != nil {
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

func copyDurably(from, to string) error {
	if err := ignoreMissing(os.Remove(to)); err != nil { // of an earlier try; it may be running
		return err
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Sync(), dst.Close())
}

// sameVersion runs the copy where it will lie.
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
	if string(got) != string(want) {
		return fmt.Errorf("the copy says that it is %s, not %s: look for a FORCE-VERSION file beside it", strings.TrimSpace(string(got)), strings.TrimSpace(string(want)))
	}
	return nil
}
