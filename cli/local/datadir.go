package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// OwnNames are what jujud and this client make in a data directory. A directory that holds
// anything else is not removed, whoever says that it is ours.
var OwnNames = []string{"agents", "lock", "log", "server", "tools"}

// Remove removes the data directory of one stopped machine of an environment. A directory
// that does not exist was removed before, and that is no error.
func Remove(dir, environment, id string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := ours(dir, environment, id)
	if err != nil {
		return app.Fail(fmt.Errorf("remove machine %s: %w", id, err), "Its directory was left as it is.",
			"look at "+dir+"; when it is removed by hand, the command goes on")
	}
	unlock, err := lockMachine(dir)
	if err != nil {
		return app.Fail(fmt.Errorf("remove machine %s: %w", id, err), "Its directory was left as it is.", "stop that jujud, then the same again")
	}
	defer unlock()
	if err := removeOwn(dir); err != nil {
		return fmt.Errorf("remove machine %s: %w", id, err)
	}
	return nil
}

// RemoveMade removes what a bootstrap of an environment made in a data directory. The directory
// itself stays. What belongs to another environment, or to nobody that can be told, stays as
// it is: another bootstrap may have begun in that directory meanwhile.
func RemoveMade(dir, environment string) error {
	conf, err := readConf(dir)
	if errors.Is(err, errNoConf) || err == nil && conf.Environment != environment {
		return nil
	}
	if err != nil {
		return err
	}
	return removeOwnNames(dir)
}

// removeOwn removes what jujud and this client made in a data directory, and then the
// directory, unless a file system is mounted on it.
func removeOwn(dir string) error {
	err := removeOwnNames(dir)
	if gone := os.Remove(dir); gone != nil && !errors.Is(gone, unix.EBUSY) && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

func removeOwnNames(dir string) error {
	var errs []error
	for _, name := range OwnNames {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, name)))
	}
	return errors.Join(errs...)
}

// ours says why a directory is not the data directory of that machine of that environment.
func ours(dir, environment, id string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !slices.Contains(OwnNames, e.Name()) {
			return fmt.Errorf("%s holds %q, which is no part of a machine", dir, e.Name())
		}
	}
	conf, err := readConf(dir)
	switch {
	case errors.Is(err, errNoConf): // the machine was never enrolled
		return nil
	case err != nil:
		return err
	case conf.Environment != environment || conf.Tag != events.MachineTag(id):
		return fmt.Errorf("%s is the directory of %s of environment %s", dir, conf.Tag, conf.Environment)
	}
	return nil
}

// lockMachine takes the lock that a running jujud holds of its data directory, so that no
// jujud starts there while it is removed.
func lockMachine(dir string) (unlock func(), err error) {
	lock := filepath.Join(dir, "lock")
	if _, err := os.Stat(lock); errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil // no jujud ever ran there
	}
	unlock, err = host.TryLock(lock)
	if errors.Is(err, host.ErrLocked) {
		return nil, fmt.Errorf("a jujud that this client did not start uses %s: %w", dir, err)
	}
	return unlock, err
}

// IsStateServer says whether a data directory is a state server's, made to its end: its
// configuration is the last file that jujud bootstrap writes.
func IsStateServer(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "server", "server.yaml"))
	return !errors.Is(err, fs.ErrNotExist)
}
