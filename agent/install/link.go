package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Current is the name of the version that the link points to. fs.ErrNotExist means that
// there is no link yet; a link that is a file, or points elsewhere, is an error.
func (l Layout) Current() (string, error) {
	target, err := os.Readlink(l.Link())
	if err != nil {
		return "", fmt.Errorf("read the link %s: %w", l.Link(), err)
	}
	if target != filepath.Base(target) || target == "." || target == ".." {
		return "", fmt.Errorf("read the link %s: it points to %q, outside of %s", l.Link(), target, l.Tools())
	}
	return target, nil
}

// Switch lets the link point to a version, atomically and durably. A version that is
// not complete is refused, and the link stays as it is.
func (l Layout) Switch(name string) error {
	if _, err := Verify(l.Version(name)); err != nil {
		return fmt.Errorf("switch to %s: %w; the link was not changed", name, err)
	}
	tmp := l.Link() + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("switch to %s: %w", name, err)
	}
	if err := os.Symlink(name, tmp); err != nil {
		return fmt.Errorf("switch to %s: %w", name, err)
	}
	if err := os.Rename(tmp, l.Link()); err != nil {
		return fmt.Errorf("switch to %s: %w; the link was not changed", name, errors.Join(err, os.Remove(tmp)))
	}
	return SyncDir(l.Tools())
}

// Adopt copies a running jujud, with the FORCE-VERSION beside it, into a version
// directory of that name: the first version of a machine. One that is complete already
// is left alone.
func (l Layout) Adopt(exe, name string) error {
	if _, err := Verify(l.Version(name)); err == nil {
		return nil
	}
	tmp := l.Staging() + "-installed"
	if err := os.RemoveAll(tmp); err != nil {
		return fmt.Errorf("install %s: %w", exe, err)
	}
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return fmt.Errorf("install %s: %w", exe, err)
	}
	m := Marker{Files: map[string]string{}}
	for file, from := range map[string]string{"jujud": exe, "FORCE-VERSION": filepath.Join(filepath.Dir(exe), "FORCE-VERSION")} {
		src, err := os.Open(from)
		if errors.Is(err, fs.ErrNotExist) && file != "jujud" {
			continue
		}
		if err != nil {
			return fmt.Errorf("install %s: %w", exe, err)
		}
		m.Files[file], err = writeHashed(filepath.Join(tmp, file), 0o755, src, 1<<62)
		if err := errors.Join(err, src.Close()); err != nil {
			return fmt.Errorf("install %s: %w", exe, err)
		}
	}
	return l.place(tmp, name, m)
}

// place makes a directory of durable files a version: marker last, then the rename.
func (l Layout) place(tmp, name string, m Marker) error {
	if err := SyncDir(tmp); err != nil {
		return err
	}
	if err := mark(tmp, m); err != nil {
		return err
	}
	if err := os.RemoveAll(l.Version(name)); err != nil {
		return fmt.Errorf("install %s: %w", name, err)
	}
	if err := os.Rename(tmp, l.Version(name)); err != nil {
		return fmt.Errorf("install %s: %w", name, err)
	}
	return SyncDir(l.Tools())
}

// CollectGarbage removes every version but those to keep, and what was left of staging.
// The link's target is always kept.
func (l Layout) CollectGarbage(keep ...string) error {
	current, err := l.Current()
	if err != nil {
		return err
	}
	kept := map[string]bool{current: true, l.Tag(): true}
	for _, name := range keep {
		kept[name] = true
	}
	entries, err := os.ReadDir(l.Tools())
	if err != nil {
		return fmt.Errorf("remove old versions: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if !kept[e.Name()] && e.IsDir() {
			errs = append(errs, os.RemoveAll(filepath.Join(l.Tools(), e.Name())))
		}
	}
	return errors.Join(errs...)
}
