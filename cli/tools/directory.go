package tools

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/streams"
)

// toDirectory writes a signed tree of what is wanted. If an environment is chosen, it says where
// tools come from, whom to believe and which versions are wanted.
func (y *syncTools) toDirectory(ctx context.Context, sel selection) error {
	believed, env, c, err := y.atHand(ctx)
	if err == nil {
		err = y.onlySigned(believed, env)
	}
	if err != nil {
		return err
	}
	from, err := y.openSource(ctx, believed)
	if err != nil {
		return app.Fail(err, "Nothing was written.", signing.NextForSource(err, y.source))
	}
	switch {
	case sel.auto && env.UUID == "":
		sel.number = newestOwn(from.Found)
	case sel.auto:
		if sel, err = y.automatic(sel, from, env, c); err != nil {
			return err
		}
	}
	r := newSyncResult(from, sel.of(y.app, from.Found), y.dryRun)
	dir := filepath.Join(y.localDir, "tools", from.stream)
	missing, err := r.missing(inDirectory(dir, r), true)
	if err != nil {
		return app.Fail(err, "Nothing was written.", "")
	}
	if !y.dryRun && r.Wanted > 0 {
		err = y.fillDirectory(ctx, from, missing, r)
	}
	return errors.Join(err, r.write(y.app, y.format))
}

// atHand asks the chosen environment. If none is chosen, this client believes itself.
func (y *syncTools) atHand(ctx context.Context) (believed events.Publishers, env wire.EnvironmentInfo, c wire.Catalogue, err error) {
	if y.app.ChosenName() == "" {
		believed, err = signing.OwnPublishers(y.app.Store())
		return believed, env, c, err
	}
	err = session.With(ctx, y.app, func(s *session.Session) error {
		believed, env, c, err = y.ask(ctx, s)
		return err
	})
	if err != nil {
		return believed, env, c, app.Fail(err, "Nothing was written.",
			"to write the tree without an environment, choose none: JUJU_DATA=DIR juju sync-tools --local-dir")
	}
	return believed, env, c, nil
}

// newestOwn selects the newest release of the client's own minor version that is not revoked.
func newestOwn(list []streams.Found) func(version.Number) bool {
	own := version.Current()
	var newest version.Number
	for _, f := range list {
		n := f.Version.Number
		if n.Major == own.Major && n.Minor == own.Minor && n.Tag == "" && f.Revoked == "" && n.Compare(newest) > 0 {
			newest = n
		}
	}
	return func(n version.Number) bool { return n == newest }
}

// inDirectory lists the wanted archives that are in a directory already, whole and with the right
// digest.
func inDirectory(dir string, r *syncResult) []tools.Tools {
	var there []tools.Tools
	for _, a := range r.Archives {
		t := a.found.Tools
		if err := checkArchive(filepath.Join(dir, t.FileName()), t); err == nil {
			there = append(there, t)
		}
	}
	return there
}

// fillDirectory downloads the missing archives, and then writes and signs the metadata. If a
// download fails the metadata stays as it was.
func (y *syncTools) fillDirectory(ctx context.Context, from source, missing []streams.Found, r *syncResult) error {
	vendor, err := signing.Vendor(y.app.Store())
	if err != nil {
		return err
	}
	shown := newBars(y.app)
	for i, f := range missing {
		p := shown.add(f.Tools, 1)
		if err = placeOne(ctx, filepath.Join(y.localDir, "tools", from.stream), from, f, p); err != nil {
			p.end()
			r.set(f.Version, stateFailed)
			err = app.Fail(err, fmt.Sprintf("%d of %d archives were copied whole; the metadata was not changed.", i, len(missing)), nextForCopy(err))
			break
		}
		r.set(f.Version, stateCopied)
	}
	shown.wait()
	if err != nil {
		return err
	}
	_, err = streams.Generate(y.localDir, streams.Plan{
		Stream: from.stream, Marks: marksOf(from.Found, r), Signer: vendor, Life: signatureLife, Now: time.Now(),
	})
	if err != nil {
		return err
	}
	y.app.Say("%s is a tree of stream %s, signed by %s", filepath.Join(y.localDir, "tools"), from.stream, vendor.Anchor())
	return nil
}

// placeOne downloads one archive into a file .part, checks it, and only then gives it its own name.
// So an archive that has its own name is whole and right.
func placeOne(ctx context.Context, dir string, from source, f streams.Found, told progress) error {
	where := fmt.Sprintf("%s in %s", f.Path, from)
	place := filepath.Join(dir, f.FileName())
	part := place + ".part"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := download(ctx, from, f, part, told.step(0)); err != nil {
		return fmt.Errorf("download %s: %w", where, err)
	}
	err := checkArchive(part, f.Tools)
	if err == nil {
		err = errors.Join(os.Chmod(part, 0o644), os.Rename(part, place))
	} else if errors.Is(err, errBadArchive) {
		err = errors.Join(err, os.Remove(part))
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", where, err)
	}
	return nil
}

// marksOf gives the marks that the source has for the versions that are in the tree.
func marksOf(list []streams.Found, r *syncResult) map[version.Number]tools.Marks {
	marks := simplestreams.Marks(list)
	for n := range marks {
		in := false
		for _, a := range r.Archives {
			in = in || a.Version.Number == n
		}
		if !in {
			delete(marks, n)
		}
	}
	return marks
}
