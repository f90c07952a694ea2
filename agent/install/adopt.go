package install

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/host"
)

// Prepare makes the directories that the launcher and the agent need, durably. It also makes
// durable what a launcher that was killed has left.
func (l Layout) Prepare() error {
	agents := filepath.Dir(l.Agent())
	for _, dir := range []string{l.Tools(), agents, l.Agent(), filepath.Dir(l.Log(l.Tag()))} {
		if err := mkdirs(l.disk(), dir); err != nil {
			return fmt.Errorf("prepare the data directory: %w", err)
		}
	}
	return errors.Join(host.SyncDir(l.disk(), l.Dir), host.SyncDir(l.disk(), agents), l.settle())
}

// Install makes the copy at exe a version of that name and points the link to it.
func (l Layout) Install(exe, name string) error {
	if err := l.Adopt(exe, name); err != nil {
		return err
	}
	return l.Switch(name)
}

// Adopt copies a jujud, and a FORCE-VERSION file beside it if there is one, into the version
// directory of that name. So a machine gets its first version. If the version is complete
// already, nothing is done.
func (l Layout) Adopt(exe, name string) error {
	if _, err := l.Verify(name); err == nil {
		return nil
	}
	tmp := l.Staging() + "-installed"
	if err := errors.Join(removeAll(l.disk(), tmp), l.disk().Mkdir(tmp)); err != nil {
		return fmt.Errorf("install %s: %w", exe, err)
	}
	m := Marker{Files: map[string]string{}}
	for _, file := range []string{archive.Jujud, archive.ForceVersion} {
		from := exe
		if file != archive.Jujud {
			from = filepath.Join(filepath.Dir(exe), file)
		}
		digest, err := l.copyIn(from, filepath.Join(tmp, file))
		if errors.Is(err, fs.ErrNotExist) && file != archive.Jujud {
			continue
		}
		if err != nil {
			return fmt.Errorf("install %s: %w", exe, errors.Join(err, removeAll(l.disk(), tmp)))
		}
		m.Files[file] = digest
	}
	if err := l.place(tmp, name, m); err != nil {
		return fmt.Errorf("install %s: %w", exe, errors.Join(err, removeAll(l.disk(), tmp)))
	}
	return nil
}

// copyIn copies one program or file into a version's directory, durably.
func (l Layout) copyIn(from, to string) (digest string, err error) {
	src, err := l.disk().Open(from)
	if err != nil {
		return "", err
	}
	digest, err = l.writeHashed(to, 0o700, src, -1)
	return digest, errors.Join(err, src.Close())
}

// place makes a directory of durable files a version. The order matters: the names of the
// files are made durable, then the marker is written, then whatever has the version's name is
// removed, then the rename gives the name to the new directory. The caller knows that what had
// the name before was damaged, or was another build that is not in use.
func (l Layout) place(tmp, name string, m Marker) error {
	if err := host.SyncDir(l.disk(), tmp); err != nil {
		return err
	}
	if err := l.mark(tmp, m); err != nil {
		return err
	}
	if err := removeAll(l.disk(), l.Version(name)); err != nil {
		return err
	}
	if err := l.disk().Rename(tmp, l.Version(name)); err != nil {
		return err
	}
	return host.SyncDir(l.disk(), l.Tools())
}
