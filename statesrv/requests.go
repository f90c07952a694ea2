package statesrv

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// requests takes requests into the stream of requests, reads that, and lets each be judged, once.
//
// Only what somebody has signed who may ask for something is taken into the stream, where it stays
// for ever. So nobody else can fill the disk with requests, and an operator who was removed a
// moment ago cannot either, while NATS still lets him in.
//
// They are judged in the order of the stream, with one exception. An upgrade may name an
// archive that no source is known to have; then the sources are asked, which takes up to
// sourceTimeout, and nothing else shall wait for that. So upgrades, and the approvals of
// upgrades, go one after another through a queue of their own, and other requests may be
// judged before one that waits there. How far they may overtake it is bounded by
// decide.Overtake: a state server that takes over reads the stream again from so far back,
// finds by their ids which requests were judged, and judges the one that was not.
//
// A request to publish metadata changes who may ask for what, so nothing that lies behind it
// is judged before it.
//
// ADR 18 (docs/adr/0018-decide.md) says why this is safe.
type requests struct {
	ctx       context.Context // of the term
	spawn     func(func())    // runs something as part of the term
	bus       *bus.Conn
	writer    *writer.Writer
	tools     *toolbox
	publisher *publisher
	now       func() time.Time
	garbage   func(what string)
	logger    *slog.Logger

	full     func() *events.Reason // why nothing is written; nil: there is room
	storing  chan struct{}         // one for each request that is being stored
	upgrades chan decide.Request   // read puts in, judgeUpgrades takes out

	// mu guards queue and moved. A position leaves the queue only when its request lies in the
	// writer's queue: whatever is submitted from then on is judged behind it.
	mu    sync.Mutex
	queue []place       // of the requests in upgrades, and of the one that was taken out last
	moved chan struct{} // closed, and made anew, when the first of queue is gone
}

// place is where a request stands in the stream of requests.
type place struct {
	seq uint64
	id  string
}

func newRequests(t *term) *requests {
	return &requests{
		ctx: t.ctx, spawn: t.spawn, bus: t.cfg.Bus, writer: t.writer, tools: t.tools, publisher: t.publisher,
		now: t.cfg.Now, garbage: t.metrics.garbage, logger: t.cfg.Logger,
		full: t.room.why, storing: make(chan struct{}, limits.RequestsStored), upgrades: make(chan decide.Request, decide.Overtake), moved: make(chan struct{}),
	}
}

// onAsked has a request stored if somebody signed it who may ask for something. It does not wait. On
// a full disk nothing is stored: the last of it is the writer's.
func (r *requests) onAsked(a bus.Asked) {
	if why := r.full(); why != nil {
		a.Deny(why)
		return
	}
	select {
	case r.storing <- struct{}{}:
	default:
		a.Deny(events.Refuse(events.CodeUnavailable, "%d requests are being stored; try again", limits.RequestsStored))
		return
	}
	r.spawn(func() {
		defer func() { <-r.storing }()
		var refused error
		err := r.writer.Look(r.ctx, func(st *projections.State) {
			refused = decide.MayStore(r.at(st), decide.ReadRequest(0, a.ID, a.Key, a.Data))
		})
		if err = errors.Join(err, refused); err != nil {
			r.skipped(decide.Request{ID: a.ID, Key: a.Key}, err)
			a.Deny(err)
			return
		}
		a.Keep()
	})
}

// read hands the stream of requests on, from where the log says, until ctx ends.
func (r *requests) read(ctx context.Context) {
	var from uint64
	if r.writer.Look(ctx, func(st *projections.State) { from = decide.Reread(st) }) != nil {
		return
	}
	err := r.bus.Requests(ctx, from, func(m bus.Request) { r.next(ctx, decide.ReadRequest(m.Seq, m.ID, m.Key, m.Data)) })
	if ctx.Err() == nil {
		r.logger.Error("reading requests", "err", err)
	}
}

// next hands on one request of the stream, by its action.
func (r *requests) next(ctx context.Context, q decide.Request) {
	if !r.mayOvertake(ctx, q.Seq) {
		return
	}
	switch {
	case q.Ask.Action == events.ActionUpgrade, q.Ask.Action == events.ActionApprove, r.isQueued(q.ID):
		r.enqueue(ctx, q)
	case q.Ask.Action == events.ActionTrust:
		r.publish(ctx, q)
	default:
		_ = r.writer.SubmitWait(ctx, r.change(q, decide.Known{}))
	}
}

// isQueued says whether a request with that id is in the queue. A later message with the same id
// must not overtake it: a request counts as judged when its id was judged, so a stranger who
// publishes under the id of a request that waits could have it left out.
func (r *requests) isQueued(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.queue, func(q place) bool { return q.id == id })
}

// mayOvertake waits until a request is less than decide.Overtake places behind the first request of the
// queue. It returns false when ctx ends.
func (r *requests) mayOvertake(ctx context.Context, seq uint64) bool {
	for {
		r.mu.Lock()
		near, moved := len(r.queue) == 0 || seq < r.queue[0].seq+decide.Overtake, r.moved
		r.mu.Unlock()
		if near {
			return true
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return false
		}
	}
}

// enqueue adds a request to the queue of upgrades. The channel has room for it: every request in the
// queue is less than decide.Overtake places behind the first.
func (r *requests) enqueue(ctx context.Context, q decide.Request) {
	r.mu.Lock()
	r.queue = append(r.queue, place{q.Seq, q.ID})
	r.mu.Unlock()
	select {
	case r.upgrades <- q:
	case <-ctx.Done():
	}
}

// judgeUpgrades has the requests of the queue judged one after another. If the archive of one is
// unknown, the sources of tools are asked before.
func (r *requests) judgeUpgrades(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-r.upgrades:
			if r.needsSources(ctx, q) {
				r.tools.askSources(ctx)
			}
			_ = r.writer.SubmitWait(ctx, r.changeWith(q, func() decide.Known { return knownOf(r.tools, r.publisher) }))
			r.dequeue()
		}
	}
}

// needsSources says whether the sources of tools must be asked before a request is judged. They are
// never asked for somebody who may not request the upgrade.
func (r *requests) needsSources(ctx context.Context, q decide.Request) (needs bool) {
	err := r.writer.Look(ctx, func(st *projections.State) {
		needs = len(decide.Awaited(r.at(st), q, r.tools.known())) > 0
	})
	return err == nil && needs
}

// dequeue removes the first request of the queue. It is called when that request is in the writer's
// queue: every request that is submitted from then on is judged after it.
func (r *requests) dequeue() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = r.queue[1:]
	close(r.moved)
	r.moved = make(chan struct{})
}

// publish has a request to publish metadata judged, and waits for the end. No publication is made for
// somebody who may not publish.
func (r *requests) publish(ctx context.Context, q decide.Request) {
	var allowed bool
	if r.writer.Look(ctx, func(st *projections.State) { allowed = decide.MayAsk(r.at(st), q) }) != nil {
		return
	}
	if !allowed || q.Ask.Trust == nil {
		_ = r.writer.SubmitWait(ctx, r.change(q, decide.Known{}))
		return
	}
	r.publisher.publishStaged(ctx, q.Ask.Trust.Bundle, func(n *decide.Publication, err error) error {
		err = r.writer.Do(ctx, r.change(q, decide.Known{Publication: n, Unpublishable: err}).Decide)
		r.skipped(q, err)
		return err
	})
}

// at is what may be looked at outside of a decision. It has no NewID: nothing is decided on it.
func (r *requests) at(st *projections.State) decide.At {
	return decide.At{State: st, Now: r.now().UTC()}
}

func (r *requests) change(q decide.Request, known decide.Known) writer.Change {
	return r.changeWith(q, func() decide.Known { return known })
}

// changeWith is the change that judges a request. known is called when the request is judged, not when
// it is queued.
func (r *requests) changeWith(q decide.Request, known func() decide.Known) writer.Change {
	return writer.Change{
		Decide: func(at decide.At) (decide.Decision, error) { return decide.Requested(at, q, known()) },
		Done:   func(_ uint64, err error) { r.skipped(q, err) },
	}
}

// skipped counts a request that left no record, because nobody could be found who sent it.
func (r *requests) skipped(q decide.Request, err error) {
	if err == nil || writer.NotStored(err) || errors.Is(err, context.Canceled) {
		return
	}
	r.garbage("requests")
	r.logger.Warn("skipped a request", "seq", q.Seq, "key", q.Key, "err", err)
}
