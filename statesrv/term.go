package statesrv

import (
	"context"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/logtree"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// term is one period of leading. It begins with reading the log, and ends when the lease is lost, another
// writer is found, or the state server is stopped. Nothing of it is used after its end.
type term struct {
	*Server
	tasks
	ctx    context.Context // ends with the term
	writer *writer.Writer
	tree   *logtree.Tree

	tools     *toolbox
	publisher *publisher
	presence  *presence
	snapshots *snapshots
	revoked   *revocations
	bringers  *bringers
	queries   *queries
	requests  *requests
}

// newTerm reads the state. If the log is empty, it writes the first records.
func (s *Server) newTerm(ctx context.Context) (*term, error) {
	st, tree, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	t := &term{Server: s, ctx: ctx, tree: tree}
	if err := t.open(st); err != nil {
		_ = tree.Close()
		return nil, err
	}
	return t, nil
}

// open makes the parts of a term, and writes the first records of an empty log.
func (t *term) open(st *projections.State) error {
	cfg := &t.cfg
	t.presence = newPresence(cfg.Now())
	t.tools = newToolbox(cfg.Bus.Tools(), t.room, t.seenFile(), cfg.Now, cfg.Logger)
	t.publisher = &publisher{
		site: cfg.Site, store: cfg.Bus.Tools(), own: cfg.Bus.Identity().Public(), staging: &staging{}, now: cfg.Now, logger: cfg.Logger,
		due: host.NewPoke(), life: decide.Lives(st).Timestamp,
	}
	t.snapshots = &snapshots{file: t.snapshotFile(), at: st.Seq, logger: cfg.Logger}
	t.revoked = newRevocations(st)
	t.bringers = &bringers{}
	t.bringers.note(st)
	o := &owner{log: t.log, tree: t.tree, tools: t.tools, presence: t.presence, now: cfg.Now, metrics: t.metrics}
	o.committed = []func(*projections.State){
		t.metrics.state, t.tools.configure, t.publisher.configure, t.revoked.note, t.bringers.note,
		func(*projections.State) { t.tree.SignIfDue(cfg.Now()) }, t.snapshots.note,
	}
	t.writer = writer.New(writer.Config{
		Log: t.log, Actor: cfg.Name, Signer: cfg.Bus.Identity(), Environment: cfg.Environment, Now: cfg.Now, NewID: cfg.NewID, Logger: cfg.Logger,
		Room: t.room.left, Mend: t.room.mend,
	}, st, o)
	t.tools.ctx, t.tools.spawn, t.tools.signed = t.ctx, t.spawn, t.publisher.signedArchives
	t.tools.writer, t.publisher.writer, t.snapshots.writer = t.writer, t.writer, t.writer
	t.queries = &queries{
		ctx: t.ctx, cfg: cfg, writer: t.writer, tree: t.tree, tools: t.tools, publisher: t.publisher, staging: t.publisher.staging, room: t.room, spawn: t.spawn,
		shows: &shows{ctx: t.ctx, writer: t.writer, spawn: t.spawn},
	}
	t.requests = newRequests(t)
	t.tools.configure(st)
	first, err := t.publisher.open(t.ctx, st, cfg.Now())
	if err != nil || first == nil {
		return err
	}
	return t.begin(first)
}

// begin writes the first records: the environment, its metadata and machine 0. If the log lacks only the
// metadata, begin writes that.
func (t *term) begin(first *publication) error {
	g := t.cfg.Genesis
	var refused error
	err := t.writer.Commit(t.ctx, writer.Change{
		Decide: func(at decide.At) (decide.Decision, error) {
			return decide.Begin(at, decide.Genesis{
				UUID: t.cfg.Environment, Name: g.Name, AgentVersion: g.AgentVersion, Operators: g.Operators, Settings: g.Settings,
				Root: t.cfg.Site.Anchor.SHA256, Published: first.publication(),
				Machine: events.MachineEnrolled{Machine: "0", Key: g.Machine.Key, Hostname: g.Machine.Hostname, Version: g.Machine.Version, StateServer: true},
			})
		},
		Done: func(_ uint64, err error) { refused = err },
	})
	if err == nil && refused != nil {
		err = fmt.Errorf("%w: open it: %w; nothing was written; look at genesis: in server.yaml", errUnusable, refused)
	}
	if err == nil {
		err = t.publisher.adopt(t.ctx, first)
	}
	return err
}

// serve begins to answer what comes over the bus. stop ends that; with an error nothing is left running.
func (t *term) serve() (stop func(), err error) {
	cfg, garbage := &t.cfg, t.metrics.garbage
	reports := &reports{writer: t.writer, presence: t.presence, now: cfg.Now, garbage: garbage, logger: cfg.Logger}
	beats := &beats{writer: t.writer, presence: t.presence, now: cfg.Now, newID: cfg.NewID}
	enrolments := &enrolments{
		writer: t.writer, issuer: cfg.Accounts, urls: cfg.URLs, root: cfg.Site.firstRoot(), garbage: garbage, logger: cfg.Logger,
	}
	renewals := &renewals{writer: t.writer, issuer: cfg.Accounts, urls: cfg.URLs, authorities: cfg.Authorities, logger: cfg.Logger}
	uploads := &uploads{
		ctx: t.ctx, may: t.bringers.may, signed: t.publisher.signedArchives, writer: t.writer, log: t.log, store: cfg.Bus.Tools(), room: t.room,
		spawn: t.spawn, now: cfg.Now, logger: cfg.Logger,
	}
	t.spawn(uploads.sweep)

	var stops []func()
	stop = func() {
		for _, f := range stops {
			f()
		}
	}
	for _, start := range []func() (func(), error){
		func() (func(), error) { return cfg.Bus.ServeReports(reports.onReport) },
		func() (func(), error) { return cfg.Bus.ServeBeats(beats.onBeat) },
		func() (func(), error) { return cfg.Bus.ServeEnrol(enrolments.onEnrol) },
		func() (func(), error) { return cfg.Bus.ServeRenewals(renewals.onRenew) },
		func() (func(), error) { return cfg.Bus.ServeAsked(t.requests.onAsked) },
		func() (func(), error) { return t.queries.serve(cfg.Bus) },
		func() (func(), error) { return cfg.Bus.ServeUploads(uploads.onPiece) },
	} {
		f, err := start()
		if err != nil {
			stop()
			return nil, err
		}
		stops = append(stops, f)
	}
	return stop, nil
}

// work starts the goroutines that work until the term's context ends.
func (t *term) work() {
	t.spawn(func() { t.publishCheckpoints(t.ctx, t.tree.Unpublished()) })
	t.spawn(func() { t.tools.fetchAll(t.ctx) })
	t.spawn(func() { t.tools.watch(t.ctx) })
	t.spawn(func() { t.revoked.keepNATSTold(t.ctx, t.cfg) })
	t.spawn(func() { t.publisher.keepFresh(t.ctx) })
	t.spawn(func() { t.requests.judgeUpgrades(t.ctx) })
	t.spawn(func() { t.requests.read(t.ctx) })
	t.spawn(t.tick)
}

// tick has it decided, every tickEvery, what the passing of time alone brings: who is lost, which orders
// have timed out. A plan follows each, so whatever waits for a time goes on.
func (t *term) tick() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-t.ctx.Done():
			return
		case <-ticker.C:
			heard := t.presence.lastHeard()
			_ = t.writer.SubmitWait(t.ctx, writer.Change{
				Decide: func(at decide.At) (decide.Decision, error) { return decide.Pass(at, heard), nil },
			})
		}
	}
}
