package install

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// named are the versions that the link and a journal name.
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

// inUse says whether the link points to a version, or it is the last good one or the one
// before. When nobody can tell, nothing may be replaced.
func (l Layout) inUse(name string) (bool, error) {
	j, err := l.ReadJournal()
	if err != nil {
		return true, err
	}
	j.Order = nil
	named, err := l.named(j)
	return slices.Contains(named, name), err
}

// CollectGarbage removes every version but those to keep, and what was left of staging.
// The link's target, and what the journal names, is kept always; and while an order is in
// work, its download.
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
