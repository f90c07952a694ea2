package tools

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/version"
)

// MaxArchiveBytes limits one archive of tools, compressed.
const MaxArchiveBytes = limits.ArchiveBytes

// Tools is one archive of jujud for one number, series and architecture.
type Tools struct {
	Version version.Binary `json:"version"`
	Size    int64          `json:"size_bytes"`
	SHA256  string         `json:"sha256"` // of the archive as it is stored, 64 hex digits; also its name in the object store
}

var digestRE = regexp.MustCompile(`^[0-9a-f]{64}$`)

// IsDigest says whether s is a SHA-256 in lower-case hex.
func IsDigest(s string) bool { return digestRE.MatchString(s) }

// Validate checks that version, size and digest are there and within their limits.
func (t Tools) Validate() error {
	switch {
	case t.Version.IsZero():
		return errors.New("tools name no version")
	case !IsDigest(t.SHA256):
		return fmt.Errorf("tools %s: sha256 %q is not 64 lower-case hex digits", t.Version, t.SHA256)
	case t.Size <= 0 || t.Size > MaxArchiveBytes:
		return fmt.Errorf("tools %s: size is %d bytes, must be 1 to %d", t.Version, t.Size, MaxArchiveBytes)
	}
	return nil
}

// FileName is the name of the archive in a simplestreams tree and in signed metadata.
func (t Tools) FileName() string { return "juju-" + t.Version.String() + ".tgz" }
