package install

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/jujube-project/jujube/host"
)

// Current is the name of the version that the link points to. fs.ErrNotExist means that
// there is no link yet; a link that is a file, or points elsewhere, is an error.
func (l Layout) Current() (string, error) {
	target, err := l.disk().Readlink(l.Link())
	if err != nil {
		return "", fmt.Errorf("read the link %s: %w", l.Link(), err)
	}
	if target != filepath.Base(target) || target == "/" || target == "." || target == ".." {
		return "", fmt.Errorf("read the link %s: it points to %q, outside of %s", l.Link(), target, l.Tools())
	}
	return target, nil
}

// Switch lets the link point to a version, atomically and durably. A version that is
// not complete is refused, and the link stays as it is. After another error it points to
// the version before or to this one; the journal says which of them is right. Something
// that is no link and stands in its place is moved aside, not deleted.
func (l Layout) Switch(name string) error {
	if _, err := l.Verify(name); err != nil {
		return fmt.Errorf("switch to %s: %w; the link was not changed", name, err)
	}
	if err := l.settle(); err != nil {
		return fmt.Errorf("switch to %s: %w; the link was not changed", name, err)
	}
	if current, err := l.Current(); err == nil && current == name {
		return nil
	}
	if err := l.clearPlace(); err != nil {
		return fmt.Errorf("switch to %s: %w", name, err)
	}
	tmp := l.Link() + ".new"
	if err := l.disk().Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("switch to %s: %w; the link was not changed", name, err)
	}
	if err := l.disk().Symlink(name, tmp); err != nil {
		return fmt.Errorf("switch to %s: %w; the link was not changed", name, err)
	}
	if err := l.disk().Rename(tmp, l.Link()); err != nil {
		return fmt.Errorf("switch to %s: %w; the link was not changed", name, errors.Join(err, l.disk().Remove(tmp)))
	}
	return host.SyncDir(l.disk(), l.Tools())
}

// clearPlace gives what stands in the link's place, and is no link, another name.
func (l Layout) clearPlace() error {
	kind, err := l.disk().Kind(l.Link())
	if errors.Is(err, fs.ErrNotExist) || err == nil && kind&fs.ModeSymlink != 0 {
		return nil
	}
	aside := l.Link() + ".broken"
	if err := errors.Join(err, removeAll(l.disk(), aside)); err != nil { // of an earlier repair
		return err
	}
	return l.disk().Rename(l.Link(), aside)
}

// settle makes durable what the journal, the link and the versions are now: whoever
// changed them may have been killed before the sync, and what follows rests on them.
func (l Layout) settle() error {
	return errors.Join(host.SyncDir(l.disk(), l.Agent()), host.SyncDir(l.disk(), l.Tools()))
}
