package streams

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
)

// Describe reads one archive: its version from its name, its size and its digest from
// its bytes, and checks that it unpacks and that a FORCE-VERSION in it agrees with the
// name. The archive is read once.
func Describe(name string) (tools.Tools, error) {
	v, err := nameVersion(name)
	if err != nil {
		return tools.Tools{}, err
	}
	t, bad, err := inspect(name, v)
	if err == nil {
		err = bad
	}
	if err != nil {
		return tools.Tools{}, err
	}
	return t, t.Validate()
}

// nameVersion is the version that an archive's file name gives.
func nameVersion(name string) (version.Binary, error) {
	text, tgz := strings.CutSuffix(filepath.Base(name), ".tgz")
	text, juju := strings.CutPrefix(text, "juju-")
	v, err := version.ParseBinary(text)
	if !tgz || !juju || err != nil {
		return version.Binary{}, fmt.Errorf("%s: the name is not juju-NUMBER-SERIES-ARCH.tgz", name)
	}
	return v, nil
}

// inspect hashes the whole file, also when it is no archive. bad says why it is not an archive
// of version v; err says that the file could not be read.
func inspect(name string, v version.Binary) (t tools.Tools, bad, err error) {
	f, err := openRegular(name)
	if err != nil {
		return tools.Tools{}, nil, err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	r := &counted{r: io.TeeReader(io.LimitReader(f, tools.MaxArchiveBytes+1), h)}
	info, err := f.Stat()
	if err != nil {
		return tools.Tools{}, nil, err
	}
	bad = unpacks(r, info.Size(), v)
	if _, err := io.Copy(io.Discard, r); err != nil {
		return tools.Tools{}, nil, fmt.Errorf("read %s: %w", name, err)
	}
	if bad != nil {
		bad = fmt.Errorf("%s: %w", name, bad)
	}
	return tools.Tools{Version: v, Size: r.n, SHA256: hex.EncodeToString(h.Sum(nil))}, bad, nil
}

// unpacks reads an archive to its end, keeps nothing, and says what is wrong with it. size is the
// size from which the limits of unpacking follow.
func unpacks(r io.Reader, size int64, v version.Binary) error {
	var stamps version.Stamps // of jujud
	named := false            // by a FORCE-VERSION file, which overrides the stamp
	for e, err := range archive.Walk(r, archive.Within(size)) {
		if err != nil {
			return err
		}
		if e.Name != archive.ForceVersion {
			_, err = io.Copy(&stamps, e.Body)
		} else {
			named, err = true, forced(e.Body, v.Number)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: %w", archive.ErrArchive, e.Name, err)
		}
	}
	// A build of before has no stamp that can be found: only the machine that tries it will know.
	if !named && len(stamps.Found) > 0 && !slices.Contains(stamps.Found, v.Number) {
		return fmt.Errorf("%w: %s: it was built as %s, the archive's name says %s", archive.ErrArchive, archive.Jujud, stamps.Found[0], v.Number)
	}
	return nil
}

// forced checks that a FORCE-VERSION file names version v. archive.Walk has limited its size.
func forced(r io.Reader, want version.Number) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(string(b)); got != want.String() {
		return fmt.Errorf("it says %q, the archive's name says %s", got, want)
	}
	return nil
}

// counted counts the bytes that are read through it.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
