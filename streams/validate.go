package streams

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/jujube-project/jujube/events/tools/simplestreams"
)

// Validate checks a stream of the tree in dir and names every fault at once: missing,
// foreign or expired signatures, malformed entries, unknown series, and archives that are
// missing, that do not unpack, or whose size, digest or version is not the one listed.
func Validate(dir, stream string, trust Trust) []error {
	base, err := toolsDir(dir)
	if err != nil {
		return []error{err}
	}
	place, err := filepath.Abs(base)
	if err != nil {
		return []error{err}
	}
	d := directory(base)
	listing, faults := trust.of(dir, place).read(stream, d.small)
	for _, f := range listing.Found {
		if !simplestreams.KnownSeries(f.Version.Series) {
			faults = append(faults, fmt.Errorf("%s: unknown series %q", f.Path, f.Version.Series))
		}
		for _, err := range d.check(f) {
			faults = append(faults, fmt.Errorf("%s: %w", f.Path, err))
		}
	}
	return faults
}

// check names every fault of one archive.
func (d directory) check(want Found) (faults []error) {
	if v, err := nameVersion(want.Path); err != nil || v != want.Version {
		faults = append(faults, fmt.Errorf("wrong name: it is listed as %s", want.Version))
	}
	got, bad, err := inspect(d.path(want.Path), want.Version)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return append(faults, errors.New("missing file"))
	case err != nil:
		return append(faults, err)
	}
	if got.Size != want.Size {
		faults = append(faults, fmt.Errorf("wrong size: listed %d bytes, found %d", want.Size, got.Size))
	}
	if got.SHA256 != want.SHA256 {
		faults = append(faults, fmt.Errorf("wrong hash: listed sha256 %s, found %s", want.SHA256, got.SHA256))
	}
	if bad != nil {
		faults = append(faults, bad)
	}
	return faults
}
