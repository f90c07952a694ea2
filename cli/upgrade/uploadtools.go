package upgrade

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
)

// uploadTools packages the local jujud under a build number that no archive has yet, stores the
// archive and signs it. It returns the version to upgrade to.
func (u *upgrade) uploadTools(ctx context.Context, s *session.Session, want version.Number) (version.Number, error) {
	u.app.Say("WARNING --upload-tools is for developers; it should not be used by the end user")
	jujud, err := local.Find(u.jujud)
	if err != nil {
		return want, err
	}
	own, err := jujud.Version(ctx)
	if err != nil {
		return want, err
	}
	if want.Build > 0 {
		return want, app.Usage("--upload-tools chooses the build number; leave it out of --version")
	}
	v := own
	if !want.IsZero() {
		v.Number = want
	}
	catalogue, err := s.Catalogue(ctx)
	if err != nil {
		return want, err
	}
	v.Number.Build = 1
	for _, t := range session.Available(catalogue) {
		n := t.Version.Number
		if b := n.Build; b >= v.Number.Build {
			if n.Build = v.Number.Build; n == v.Number {
				v.Number.Build = b + 1
			}
		}
	}
	dir, err := os.MkdirTemp("", "juju-upload-")
	if err != nil {
		return want, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, tools.Tools{Version: v}.FileName())
	t, err := packTools(gzip.DefaultCompression, path, string(jujud), v)
	if err != nil {
		return want, err
	}
	u.app.Say("Uploading %s, packaged from %s", v, jujud)
	id, err := s.Announce(ctx, events.AskSyncTools{Source: "local build of " + string(jujud), Wanted: []version.Binary{v}, Unsigned: true})
	if err != nil {
		return want, err
	}
	if err := s.Upload(ctx, id, t, path, nil); err != nil {
		return want, err
	}
	p, err := signing.OpenSite(ctx, u.app, s)
	if err != nil {
		return want, err
	}
	return v.Number, p.SignTools(ctx, []tools.Tools{t})
}

// packTools packs a jujud into an archive and describes it. The file FORCE-VERSION in the archive
// gives jujud that version, whatever it was built as. level is gzip's.
func packTools(level int, path, jujud string, v version.Binary) (tools.Tools, error) {
	t := tools.Tools{Version: v}
	in, err := os.Open(jujud)
	if err != nil {
		return t, err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return t, err
	}
	var packed bytes.Buffer
	force := v.Number.String()
	err = archive.PackAt(level, &packed,
		archive.File{Name: archive.Jujud, Size: info.Size(), Body: in},
		archive.File{Name: archive.ForceVersion, Size: int64(len(force)), Body: strings.NewReader(force)})
	if err != nil {
		return t, fmt.Errorf("package %s: %w", jujud, err)
	}
	sum := sha256.Sum256(packed.Bytes())
	t.Size, t.SHA256 = int64(packed.Len()), hex.EncodeToString(sum[:])
	return t, os.WriteFile(path, packed.Bytes(), 0o600)
}
