package statesrv

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
	"github.com/jujube-project/jujube/streams"
)

// attempt is the state of fetching one archive.
type attempt struct {
	decide.Fetch
	tools tools.Tools
	again time.Time // when it may be tried again, unless it is under way
}

// maxWanted bounds the archives that wait to be fetched. One that finds no room is wanted again by the
// next plan.
const maxWanted = 64

// fetchOutlook is the state of every fetch, by sha256 of the archive.
func (b *toolbox) fetchOutlook() map[string]decide.Fetch {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.fetches) == 0 {
		return nil
	}
	fetches := make(map[string]decide.Fetch, len(b.fetches))
	for digest, a := range b.fetches {
		fetches[digest] = a.Fetch
	}
	return fetches
}

// retryFetch is how long a failed fetch is left alone.
const retryFetch = 10 * time.Second

// wantFetched queues an archive to be fetched, unless that is under way or failed less than retryFetch
// ago.
func (b *toolbox) wantFetched(t tools.Tools) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, tried := b.fetches[t.SHA256]
	if a.UnderWay || tried && b.now().Before(a.again) {
		return
	}
	if !tried {
		a = attempt{tools: t, Fetch: decide.Fetch{Since: b.now()}}
	}
	select {
	case b.wanted <- t:
		a.UnderWay = true
		b.fetches[t.SHA256] = a
	default: // too many wait; the next plan wants it again
	}
}

// forgetFetch forgets how fetching an archive went, so that whoever wants it next begins anew. A fetch
// that is under way is kept.
func (b *toolbox) forgetFetch(digest string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.fetches[digest].UnderWay {
		delete(b.fetches, digest)
	}
}

// fetchEnded notes how a fetch ended; err is nil if the archive is stored and in the log.
func (b *toolbox) fetchEnded(t tools.Tools, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		delete(b.fetches, t.SHA256)
		return
	}
	b.logger.Warn("fetching tools", "tools", t.Version.String(), "err", err)
	a := b.fetches[t.SHA256]
	a.UnderWay, a.again, a.Err, a.Hopeless = false, b.now().Add(retryFetch), err, hopeless(err)
	b.fetches[t.SHA256] = a
}

// hopeless says whether the bytes themselves are wrong, so that another try would end in the same way. A
// connection that broke off also leaves a wrong digest, but the next try may succeed: so the error of
// a source is looked for before the digest.
func hopeless(err error) bool {
	switch {
	case errors.Is(err, streams.ErrLength), errors.Is(err, archive.ErrArchive), errors.Is(err, decide.ErrOtherBytes):
		return true
	case errors.Is(err, streams.ErrSource):
		return false
	}
	return errors.Is(err, bus.ErrDigest)
}

// fetchProblems says of each fetch that failed, and was not given up, why it failed.
func (b *toolbox) fetchProblems() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var texts []string
	for _, digest := range slices.Sorted(maps.Keys(b.fetches)) {
		if a := b.fetches[digest]; a.Err != nil {
			texts = append(texts, fmt.Sprintf("fetching tools %s: %v", a.tools.Version, a.Err))
		}
	}
	return texts
}

// fetchAll fetches what is wanted until ctx ends.
func (b *toolbox) fetchAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case wanted := <-b.wanted:
			err := b.fetch(ctx, wanted)
			if errors.Is(err, streams.ErrSource) {
				b.askSources(ctx) // if the source is lost, the log gets that now and status shows it
			}
			b.fetchEnded(wanted, err)
			if err != nil {
				b.writer.Submit(writer.Change{Decide: func(at decide.At) (decide.Decision, error) { return decide.Missed(at, wanted, err), nil }})
			}
		}
	}
}

// fetch copies one archive into the object store and then records it. An archive that the store has
// already, because a state server died between the two, is only recorded. The store hashes every byte
// on its way in.
func (b *toolbox) fetch(ctx context.Context, wanted tools.Tools) error {
	stored := events.ToolsStored{Tools: wanted, Source: "object store"}
	there, err := b.store.Has(ctx, wanted.SHA256)
	if err == nil && !there {
		var f offer
		f, err = b.copyFromSource(ctx, wanted)
		if err == nil {
			stored.Source, stored.SignedBy, stored.Unsigned = f.source.String(), f.signer, f.signer == ""
		}
	}
	if err != nil {
		return err
	}
	return b.writer.Do(ctx, func(at decide.At) (decide.Decision, error) { return decide.Stored(at, b.signed(), stored, "") })
}

// remove removes an archive from the store, in a goroutine of the term. One that is left there, because
// the term ended, is only a loss of room.
func (b *toolbox) remove(digest string) {
	b.spawn(func() {
		if err := b.store.Remove(b.ctx, digest); err != nil {
			b.logger.Warn("removing an archive that was replaced", "sha256", digest, "err", err)
		}
	})
}

// copyFromSource copies an archive from the first source that offers it. If none is known to, the
// sources are asked again.
func (b *toolbox) copyFromSource(ctx context.Context, wanted tools.Tools) (offer, error) {
	f, ok := b.find(wanted)
	if !ok {
		b.askSources(ctx)
		if f, ok = b.find(wanted); !ok {
			return f, fmt.Errorf("no source has the archive with sha256 %s; hand it over from a client: juju sync-tools --version %d.%d",
				wanted.SHA256, wanted.Version.Major, wanted.Version.Minor)
		}
	}
	if err := b.room.fits(wanted.Size); err != nil {
		return f, err
	}
	body, err := f.source.Fetch(ctx, f.item, 0)
	if err != nil {
		return f, err
	}
	err = b.store.Put(ctx, wanted, body, inspection(wanted))
	return f, errors.Join(err, body.Close())
}
