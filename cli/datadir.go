package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
)

// ownNames are what jujud and this client make in a data directory. One that holds
// anything else is not removed, whoever says that it is ours.
var ownNames = []string{"agents", "lock", "log", "server", "tools"}

// removeMachine removes the data directory of one stopped machine of an environment. One
// that is not there is removed already.
func removeMachine(dir, environment, id string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := ours(dir, environment, id)
	if err != nil {
		return app.Fail(fmt.Errorf("remove machine %s: %w", id, err), "Its directory was left as it is.", "look at "+dir+"; when it is removed by hand, the command goes on")
	}
	unlock, err := lockMachine(install.Layout{Dir: dir, Machine: id})
	if err != nil {
		return app.Fail(fmt.Errorf("remove machine %s: %w", id, err), "Its directory was left as it is.", "stop that jujud, then the same again")
	}
	defer unlock()
	if err := removeOwn(dir); err != nil {
		return fmt.Errorf("remove machine %s: %w", id, err)
	}
	return nil
}

// removeOwn removes what jujud and this client made in a data directory, and then the
// directory, unless a file system is mounted on it.
func removeOwn(dir string) error {
	var errs []error
	for _, name := range ownNames {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, name)))
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, unix.EBUSY) && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// ours says why a directory is not that machine's.
func ours(dir, environment, id string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !slices.Contains(ownNames, e.Name()) {
			return fmt.Errorf("%s holds %q, which is no part of a machine", dir, e.Name())
		}
	}
	conf, err := agent.LoadConf(dir)
	switch {
	case errors.Is(err, agent.ErrNoConf): // it never got as far as that
		return nil
	case err != nil:
		return err
	case conf.Environment != environment || conf.Tag != events.MachineTag(id):
		return fmt.Errorf("%s is the directory of %s of environment %s", dir, conf.Tag, conf.Environment)
	}
	return nil
}

// lockMachine holds what a running jujud holds of its data directory.
func lockMachine(l install.Layout) (unlock func(), err error) {
	f, err := os.OpenFile(l.LockFile(), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("a jujud that this client did not start uses %s", l.Dir), f.Close())
	}
	return func() { _ = f.Close() }, nil
}
