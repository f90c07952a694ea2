package agent

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/archive"
)

// Failures of a download that are not install's.
var (
	errBadArchive = archive.ErrArchive
	errNoTools    = errors.New("the archive could not be fetched")
)

// How often a download that broke is tried again, from where it stopped.
const (
	downloadTries    = 20
	downloadMaxPause = 30 * time.Second
)

// download fetches the order's archive into its file, going on where an earlier try
// stopped.
func (a *Agent) download(ctx context.Context, o install.Order) *events.Failure {
	if _, err := install.Verify(a.layout.Version(o.Tools.Version.String())); err == nil {
		return nil
	}
	pause := firstPause
	var err error
	for range downloadTries {
		if err = a.fetch(ctx, o); err == nil || ctx.Err() != nil || errors.Is(err, install.ErrNoSpace) {
			break
		}
		a.cfg.Logger.Warn("downloading tools", "tools", o.Tools.Version.String(), "err", err)
		select {
		case <-time.After(pause):
			pause = min(2*pause, downloadMaxPause)
		case <-ctx.Done():
		}
	}
	if err != nil && !errors.Is(err, install.ErrNoSpace) {
		err = errors.Join(errNoTools, err)
	}
	return failure("download", err)
}

func (a *Agent) fetch(ctx context.Context, o install.Order) error {
	f, have, err := a.layout.Partial(o.Tools)
	if err != nil {
		return err
	}
	if have < o.Tools.Size {
		w := &progress{file: f, have: have, size: o.Tools.Size, tell: func(percent int) {
			r := &events.AgentDownloading{Percent: percent}
			r.Order = o.ID
			a.tell(r)
		}}
		_, err = a.cfg.Bus.Fetch(ctx, o.Tools.SHA256, have, w)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// progress writes a download, never more than was ordered, and tells every quarter.
type progress struct {
	file       *os.File
	have, size int64
	told       int
	tell       func(percent int)
}

func (p *progress) Write(b []byte) (int, error) {
	if p.have+int64(len(b)) > p.size {
		return 0, install.ErrSize
	}
	n, err := p.file.Write(b)
	p.have += int64(n)
	if percent := int(p.have * 100 / p.size); percent >= p.told+25 {
		p.told = percent - percent%25
		p.tell(p.told)
	}
	return n, err
}
