package tools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/streams"
)

// errBadArchive is returned when the source gives other bytes than it lists: to ask it again
// is no use.
var errBadArchive = errors.New("bad archive")

// nextForCopy is what to type after an archive could not be copied.
func nextForCopy(err error) string {
	if errors.Is(err, errBadArchive) {
		return "have the source repaired (juju metadata validate-tools), or name another one: --source DIR|URL"
	}
	return "run juju sync-tools again; it goes on where it stopped"
}

// uploader stores an archive for a request that announced it.
type uploader interface {
	Upload(ctx context.Context, request string, t tools.Tools, path string, told func(int64)) error
}

// copyOne copies one archive into the store. An archive in a directory is read where it
// lies. One behind a URL is first downloaded into a file: a download that is cut off goes on
// where it stopped, and an upload that is cut off needs no new download.
func (y *syncTools) copyOne(ctx context.Context, s uploader, from source, f streams.Found, id string, told progress) error {
	where := fmt.Sprintf("%s in %s", f.Path, from)
	path, local, err := streams.Local(from.Source, f)
	if err != nil {
		return fmt.Errorf("%w: %w", errBadArchive, err)
	}
	if !local {
		path = y.partFile(f.Tools)
		y.app.Logger().Debug("downloading", "from", where, "to", path)
		if err := download(ctx, from, f, path, told.step(0)); err != nil {
			return fmt.Errorf("download %s: %w", where, err)
		}
	}
	err = s.Upload(ctx, id, f.Tools, path, y.logBegin(path, told.step(1)))
	if errors.Is(err, bus.ErrDigest) || errors.Is(err, bus.ErrRefused) {
		err = fmt.Errorf("%w: %w", errBadArchive, err)
	}
	if !local && (err == nil || errors.Is(err, errBadArchive)) {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		return fmt.Errorf("copy %s: %w", where, err)
	}
	return nil
}

// logBegin passes the progress of an upload on, and logs once from which offset it begins.
func (y *syncTools) logBegin(path string, told func(int64)) func(int64) {
	began := false
	return func(n int64) {
		if !began {
			began = true
			y.app.Logger().Debug("uploading", "file", path, "from", n)
		}
		told(n)
	}
}

// partFile is where a download is kept until it is stored.
func (y *syncTools) partFile(t tools.Tools) string {
	return filepath.Join(y.partsDir(), t.SHA256+".part")
}

func (y *syncTools) partsDir() string { return y.app.Store().Path("downloads") }

// keepDownload is how long an unfinished download is kept.
const keepDownload = 7 * 24 * time.Hour

// forgetDownloads removes downloads that no command has gone on with for keepDownload.
func (y *syncTools) forgetDownloads() {
	parts, err := filepath.Glob(filepath.Join(y.partsDir(), "*.part"))
	for _, name := range parts {
		info, statErr := os.Stat(name)
		if err == nil && statErr == nil && time.Since(info.ModTime()) > keepDownload {
			err = os.Remove(name)
		}
	}
	if err != nil {
		y.app.Logger().Debug("removing old downloads", "err", err)
	}
}

// download brings an archive into a file. It goes on where an earlier download stopped.
func download(ctx context.Context, from streams.Source, f streams.Found, path string, told func(int64)) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := out.Stat()
	if err == nil {
		err = fill(ctx, from, f, out, info.Size(), told)
	}
	if errors.Is(err, streams.ErrLength) { // what was downloaded is not the beginning of this archive
		err = errors.Join(fmt.Errorf("%w: %w", errBadArchive, err), out.Truncate(0))
	}
	return errors.Join(err, out.Close())
}

// fill appends to out what is missing after its first have bytes.
func fill(ctx context.Context, from streams.Source, f streams.Found, out *os.File, have int64, told func(int64)) error {
	if have > f.Size {
		have = 0
		if err := out.Truncate(0); err != nil {
			return err
		}
	}
	told(have)
	if have == f.Size {
		return nil
	}
	body, err := from.Fetch(ctx, f, have)
	if err != nil {
		return err
	}
	_, err = io.Copy(&counting{out, have, told}, io.LimitReader(body, f.Size-have))
	if err == nil { // the rest must be empty: the source gives an error if the archive goes on
		_, err = io.Copy(io.Discard, body)
	}
	return errors.Join(err, body.Close())
}

// counting tells how many bytes were written so far.
type counting struct {
	w    io.Writer
	n    int64
	told func(int64)
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.told(c.n)
	return n, err
}

// checkArchive reads a whole file and says why it is not the wanted archive.
func checkArchive(path string, want tools.Tools) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	h, inspected := sha256.New(), streams.Inspect(want.Version, want.Size)
	n, err := io.Copy(io.MultiWriter(h, inspected), f)
	bad := inspected.Close()
	if err != nil && bad == nil {
		return err
	}
	if _, err := io.Copy(h, f); err != nil { // the inspection may end early; the digest is of the whole file
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); bad == nil && got != want.SHA256 {
		bad = fmt.Errorf("expected %d bytes with sha256 %s, found %d bytes with %s", want.Size, want.SHA256, n, got)
	}
	if bad != nil {
		return fmt.Errorf("%w: %w", errBadArchive, bad)
	}
	return nil
}
