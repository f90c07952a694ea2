package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools/archive"
)

// Errors of a download, besides those of package install.
var (
	errBadArchive = archive.ErrArchive
	errNoTools    = errors.New("the archive could not be fetched")
	errSlow       = errors.New("the archive comes too slowly")
)

// downloads fetches archives of tools from the bus to the disk.
type downloads struct {
	layout install.Layout
	bus    Bus
	window time.Duration // over which a download must not be too slow
	tell   func(events.Report)
	logger *slog.Logger
}

// get fetches the order's archive into its file, and goes on where an earlier try stopped. If the
// version is complete on this host already, it fetches nothing.
//
// It tries again after every error but a full disk, with growing pauses. An archive of other
// bytes than ordered is removed and fetched from its beginning, as it may have been damaged on
// its way; that is tried fewer times.
func (d *downloads) get(ctx context.Context, o install.Order) *events.Failure {
	if m, err := d.layout.Verify(o.Tools.Version.String()); err == nil && m.Archive == o.Tools.SHA256 {
		return nil
	}
	var err error
	for bad, try := 0, 0; try < limits.DownloadTries && bad < limits.DownloadBad; try++ {
		if err = d.fetch(ctx, o); err == nil || ctx.Err() != nil || errors.Is(err, install.ErrNoSpace) {
			break
		}
		if isWrong(err) {
			bad++
		}
		d.logger.Warn("downloading tools", "tools", o.Tools.Version.String(), "err", err)
		_ = downloadPauses.Wait(ctx, try) // if ctx ended, the next try says so
	}
	if err != nil && !errors.Is(err, install.ErrNoSpace) && !isWrong(err) {
		err = errors.Join(errNoTools, err)
	}
	return failure("download", err)
}

// isWrong says whether an error means that other bytes came than were ordered.
func isWrong(err error) bool {
	return errors.Is(err, install.ErrSize) || errors.Is(err, install.ErrDigest)
}

// fetch tries once to get what is missing of an archive. Closing the file makes it durable and
// compares its digest.
func (d *downloads) fetch(ctx context.Context, o install.Order) error {
	part, err := d.layout.Download(o.Tools)
	if err != nil {
		return err
	}
	if part.Have < o.Tools.Size {
		p := d.progress(ctx, o, part, part.Have)
		err = d.watched(ctx, p, func(ctx context.Context) error {
			p.ctx = ctx
			_, err := d.bus.Fetch(ctx, o.Tools.SHA256, part.Have, p)
			return err
		})
		if have := p.have.Load(); err == nil && have < o.Tools.Size {
			err = fmt.Errorf("%w: expected %d bytes, found %d", install.ErrSize, o.Tools.Size, have)
		}
	}
	if errors.Is(err, install.ErrSize) {
		return errors.Join(err, part.Discard())
	}
	return errors.Join(err, part.Close())
}

// watched runs a fetch and cancels it when it is too slow: when fewer bytes come within one
// window than progress.slowest asks for.
func (d *downloads) watched(ctx context.Context, p *progress, fetch func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	over, before := make(chan struct{}), p.have.Load()
	var watch sync.WaitGroup
	watch.Go(func() {
		window := time.NewTicker(d.window)
		defer window.Stop()
		for {
			select {
			case <-over:
				return
			case <-window.C:
			}
			have := p.have.Load()
			if float64(have-before) < p.slowest()*d.window.Seconds() {
				cancel(fmt.Errorf("%w: %d bytes in %v", errSlow, have-before, d.window))
				return
			}
			before = have
		}
	})
	err := fetch(ctx)
	close(over)
	watch.Wait()
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errSlow) {
		err = cause
	}
	return err
}

// tellEvery is how many percent of a download lie between two reports.
const tellEvery = 25

// progress is where the bytes of a download are written. It takes no more bytes than were
// ordered, takes them no faster than the order allows, and reports each quarter. One goroutine
// writes; have may be read by others meanwhile.
type progress struct {
	ctx  context.Context
	file io.Writer
	have atomic.Int64
	size int64
	told int // percent that were reported last
	tell func(percent int)

	rate  int64 // bytes a second; 0: no limit
	began time.Time
	taken int64 // bytes since began
}

func (d *downloads) progress(ctx context.Context, o install.Order, f io.Writer, have int64) *progress {
	p := &progress{ctx: ctx, file: f, size: o.Tools.Size, rate: o.Rate, began: time.Now(), tell: func(percent int) {
		r := &events.AgentDownloading{Percent: percent}
		r.Order = o.ID
		d.tell(r)
	}}
	p.have.Store(have)
	p.told = p.quarter()
	return p
}

// slowest is how many bytes a second must come at least: limits.DownloadRate, or half of what
// the order allows if that is less.
func (p *progress) slowest() float64 {
	if p.rate > 0 && p.rate/2 < limits.DownloadRate {
		return float64(p.rate) / 2
	}
	return limits.DownloadRate
}

// quarter is how far the download is in percent, rounded down to a multiple of tellEvery.
func (p *progress) quarter() int {
	percent := int(p.have.Load() * 100 / max(p.size, 1))
	return percent - percent%tellEvery
}

// Write implements io.Writer. It waits while the order's rate does not allow more.
func (p *progress) Write(b []byte) (n int, err error) {
	if have := p.have.Load(); int64(len(b)) > p.size-have {
		return 0, fmt.Errorf("%w: more than %d bytes come", install.ErrSize, p.size)
	}
	for len(b) > 0 && err == nil {
		var m int
		if m, err = p.file.Write(b[:min(len(b), paceBytes)]); err == nil {
			err = p.pace(m)
		}
		b, n = b[m:], n+m
		p.have.Add(int64(m))
	}
	if q := p.quarter(); q > p.told {
		p.told = q
		p.tell(q)
	}
	return n, err
}

// paceBytes is how many bytes are written between two looks at the rate.
const paceBytes = 16 << 10

// pace notes that n bytes were taken and waits until the order's rate allows as many.
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
