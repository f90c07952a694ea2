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

// Switch makes the link point to a version, atomically and durably. It refuses a version that
// is not complete, and the link stays as it is. After any other error the link points to the
// version before or to this one; the journal says which of them is right. If a file or a
// directory stands where the link should be, Switch moves it aside and does not delete it.
//
// The order of the steps: the version is verified, everything that the switch rests on is made
// durable, the new link is made under a temporary name, and one rename puts it in place.
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

// clearPlace renames what stands in the link's place, unless that is a link. One thing is kept
// aside at most: what an earlier repair kept there is removed.
func (l Layout) clearPlace() error {
	kind, err := l.disk().Kind(l.Link())
	if errors.Is(err, fs.ErrNotExist) || err == nil && kind&fs.ModeSymlink != 0 {
		return nil
	}
	aside := l.Link() + ".broken"
	if err := errors.Join(err, removeAll(l.disk(), aside)); err != nil {
		return err
	}
	return l.disk().Rename(l.Link(), aside)
}

// settle makes durable what the journal, the link and the names of the versions are now. The
// process that changed them may have been killed between the change and its sync. What
// follows relies on them, so it must not become durable before them.
func (l Layout) settle() error {
	return errors.Join(host.SyncDir(l.disk(), l.Agent()), host.SyncDir(l.disk(), l.Tools()))
}
