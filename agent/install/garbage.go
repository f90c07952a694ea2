package install

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// named gives the versions that the link and a journal name.
func (l Layout) named(j Journal) ([]string, error) {
	current, err := l.Current()
	if err != nil {
		return nil, err
	}
	names := []string{current, j.Good, j.Last}
	if j.Order != nil {
		names = append(names, j.Order.Tools.Version.String())
	}
	return names, nil
}

// inUse says whether a version may not be replaced: the link points to it, or it is the last
// good version, or the one before that. The version of the order in work is not meant: it is
// the one that may be staged anew. If the journal or the link cannot be read, inUse returns
// an error, and nothing may be replaced.
func (l Layout) inUse(name string) (bool, error) {
	j, err := l.ReadJournal()
	if err != nil {
		return true, err
	}
	j.Order = nil
	named, err := l.named(j)
	return slices.Contains(named, name), err
}

// CollectGarbage removes every version except those in keep, and what staging left behind. It
// always keeps the link's target and every version that the journal names. While an order is
// in work, it keeps what is being staged. It removes nothing when the journal or the link
// cannot be read, or cannot be made durable: what they name after a power cut must exist then.
func (l Layout) CollectGarbage(keep ...string) error {
	j, err := l.ReadJournal()
	if err != nil {
		return fmt.Errorf("remove old versions: %w; nothing was removed", err)
	}
	named, err := l.named(j)
	if err != nil {
		return fmt.Errorf("remove old versions: %w; nothing was removed", err)
	}
	if err := l.settle(); err != nil {
		return fmt.Errorf("remove old versions: %w; nothing was removed", err)
	}
	keep = append(keep, named...)
	names, err := l.disk().ReadDir(l.Tools())
	if err != nil {
		return fmt.Errorf("remove old versions: %w", err)
	}
	var errs []error
	for _, name := range names {
		inWork := j.Order != nil && strings.HasPrefix(name, filepath.Base(l.Staging()))
		if inWork || slices.Contains(keep, name) {
			continue
		}
		path := filepath.Join(l.Tools(), name)
		if kind, err := l.disk().Kind(path); err == nil && kind.IsDir() {
			errs = append(errs, removeAll(l.disk(), path))
		}
	}
	return errors.Join(errs...)
}
