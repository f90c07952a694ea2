package agent

import (
	"context"
	"errors"
	"io"
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
	if m, err := a.layout.Verify(o.Tools.Version.String()); err == nil && m.Archive == o.Tools.SHA256 {
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
	d, err := a.layout.Download(o.Tools)
	if err != nil {
		return err
	}
	if d.Have < o.Tools.Size {
		_, err = a.cfg.Bus.Fetch(ctx, o.Tools.SHA256, d.Have, a.progress(ctx, o, d, d.Have))
	}
	return errors.Join(err, d.Close())
}

// tellEvery is how many percent lie between two reports on a download.
const tellEvery = 25

// progress writes a download: never more than was ordered, not faster than the order
// allows, and it tells every quarter.
type progress struct {
	ctx        context.Context
	file       io.Writer
	have, size int64
	told       int
	tell       func(percent int)

	rate  int64 // bytes a second; 0: no limit
	began time.Time
	taken int64 // since began
}

func (a *Agent) progress(ctx context.Context, o install.Order, f io.Writer, have int64) *progress {
	p := &progress{ctx: ctx, file: f, have: have, size: o.Tools.Size, rate: o.Rate, began: time.Now(), tell: func(percent int) {
		r := &events.AgentDownloading{Percent: percent}
		r.Order = o.ID
		a.tell(r)
	}}
	p.told = p.quarter()
	return p
}

// quarter is how far the download is, in whole steps of tellEvery percent.
func (p *progress) quarter() int {
	percent := int(p.have * 100 / max(p.size, 1))
	return percent - percent%tellEvery
}

func (p *progress) Write(b []byte) (n int, err error) {
	if p.have+int64(len(b)) > p.size {
		return 0, install.ErrSize
	}
	for len(b) > 0 && err == nil {
		var m int
		if m, err = p.file.Write(b[:min(len(b), paceBytes)]); err == nil {
			err = p.pace(m)
		}
		b, n, p.have = b[m:], n+m, p.have+int64(m)
	}
	if q := p.quarter(); q > p.told {
		p.told = q
		p.tell(q)
	}
	return n, err
}

// paceBytes is how much is written before the rate is looked at.
const paceBytes = 16 << 10

// pace waits until so many bytes more may have been taken.
func (p *progress) pace(n int) error {
	p.taken += int64(n)
	if p.rate == 0 {
		return p.ctx.Err()
	}
	due := time.Duration(float64(p.taken) / float64(p.rate) * float64(time.Second))
	t := time.NewTimer(due - time.Since(p.began))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}
