package steps

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jujube-project/jujube/events/version"
)

// Registry is the steps of every release of this product, one line for each step.
var Registry = []Release{
	{version.Number{Major: 1, Minor: 25}, []Step{
		{"tighten the modes of state files", []Target{AllMachines}, tighten, NothingToUndo},
	}},
}

// tighten takes away the rights of everybody but the owner, as this release makes files and
// directories anyway. It does so in the directories of the agent, of the state server and of
// the logs. Of a unit's directory it tightens only the directory itself: what is in it belongs
// to the workload. It leaves out tools/, whose files are programs.
func tighten(ctx context.Context, h Host) error {
	dirs := []string{h.Layout.Agent(), filepath.Join(h.Layout.Dir, "server"), filepath.Join(h.Layout.Dir, "log")}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // somebody removed it meanwhile, or this host does not have the directory
			}
			if err != nil {
				return err
			}
			return errors.Join(ctx.Err(), narrow(path, d))
		})
		if err != nil {
			return err
		}
	}
	units, err := filepath.Glob(filepath.Join(h.Layout.Dir, "agents", "unit-*"))
	for _, dir := range units {
		err = errors.Join(err, os.Chmod(dir, 0o700))
	}
	return err
}

// narrow leaves the owner's rights and takes away all others. It never follows a link.
func narrow(path string, d fs.DirEntry) error {
	if !d.IsDir() && !d.Type().IsRegular() {
		return nil
	}
	info, err := d.Info()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = os.Chmod(path, info.Mode().Perm()&^0o077)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
