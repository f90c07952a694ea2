package statesrv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
)

// term is one time of leading: everything that begins with reading the log and ends
// when the lease, the fence or the operator says so. Nothing of it outlives it.
type term struct {
	*Server
	ctx       context.Context // ends with the term
	writer    *writer
	keeper    *keeper
	presence  *presence
	guesses   *guesses
	clones    *clones
	revoked   *revocations
	tools     *toolbox
	uploads   *uploads
	warrants  warrants // the writer's goroutine only
	staging   staging
	publisher *publisher
	signed    func(tools.Tools) error // whether release managers signed an archive; rehearsals take that for granted
	refresh   host.Poke               // sent when the settings give another life
	hashing   sync.Mutex              // one object of the store is read at a time

	authentic func(*projections.Machine, events.Record) error // who said it; rehearsals take that for granted

	mu    sync.Mutex
	over  bool
	tasks sync.WaitGroup

	status     cachedStatus  // the writer's goroutine only
	snapshotAt uint64        // likewise
	life       time.Duration // likewise: of the timestamps that are signed
	asked      events.Stored // likewise: the record that holds the request of the upgrade in progress
}

// newTerm reads the state, and opens an empty log.
func (s *Server) newTerm(ctx context.Context) (*term, error) {
	st, k, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	t := &term{Server: s, ctx: ctx, keeper: k, presence: newPresence(s.cfg.Now()), guesses: newGuesses(), clones: newClones(), revoked: newRevocations(st), authentic: authentic, snapshotAt: st.Seq}
	t.writer = &writer{
		log: s.log, queue: make(chan change, queueLength), ended: make(chan struct{}), state: st, plan: t.planUpgrade, kept: k.committed, stored: t.afterCommit,
		newID: s.cfg.NewID, now: s.cfg.Now, actor: s.cfg.Name, signer: s.cfg.Bus.Identity(), metrics: s.metrics, logger: s.cfg.Logger,
	}
	t.tools = newToolbox(s.cfg.Bus.Tools(), s.seenFile(), s.cfg.Now, s.cfg.Logger)
	t.tools.configure(st)
	t.uploads = newUploads(t)
	t.publisher = &publisher{site: s.cfg.Site, store: s.cfg.Bus.Tools(), own: s.cfg.Bus.Identity().Public()}
	t.signed, t.refresh, t.life = t.publisher.signed, host.NewPoke(), lives(st).Timestamp
	first, err := t.publisher.open(ctx, st, s.cfg.Now())
	if err == nil && first != nil {
		err = t.openLog(ctx, first)
	}
	return t, err
}

// openLog writes the first records: the environment, its metadata and machine 0. A log that
// lacks only the metadata gets that.
func (t *term) openLog(ctx context.Context, first *publication) error {
	var refused error
	err := t.writer.commit(ctx, []change{{decide: func(d *draft) error { return t.genesis(d, first) }, done: func(_ uint64, err error) { refused = err }}})
	if err == nil && refused != nil {
		err = fmt.Errorf("%w: open it: %w; nothing was written; look at genesis: in server.yaml", errUnusable, refused)
	}
	if err == nil {
		err = t.publisher.published(ctx, first)
	}
	return err
}

func (t *term) genesis(d *draft, first *publication) error {
	if d.state.Seq > 0 {
		_, err := d.add(t.cfg.Name, "", "", &first.fact)
		return err
	}
	g := t.cfg.Genesis
	created, err := d.add(t.cfg.Name, "", "", &events.EnvironmentCreated{
		UUID: t.cfg.Environment, Name: g.Name, AgentVersion: g.AgentVersion, Operators: admins(g.Operators),
	})
	if err != nil {
		return err
	}
	if _, err := d.add(t.cfg.Name, created.ID, "", &first.fact); err != nil {
		return err
	}
	for _, key := range sortedKeys(g.Settings) {
		if reason := checkSetting(key, g.Settings[key]); reason != nil {
			return errors.New(reason.Text)
		}
		if _, err := d.add(t.cfg.Name, created.ID, "", &events.SettingChanged{Key: key, Value: g.Settings[key]}); err != nil {
			return err
		}
	}
	_, err = d.add(t.cfg.Name, created.ID, "", &events.MachineEnrolled{
		Machine: "0", Key: g.Machine.Key, Hostname: g.Machine.Hostname, Version: g.Machine.Version, StateServer: true,
	})
	return err
}

// admins are the operators that an environment begins with: they may do everything, until
// signed metadata says who may.
func admins(operators []events.Operator) []events.Operator {
	list := slices.Clone(operators)
	for i := range list {
		if len(list[i].Grants) == 0 {
			list[i].Grants = []events.Grant{{Role: events.RoleAdmin}}
		}
	}
	return list
}

// spawn runs f as part of the term; after its end it runs nothing.
func (t *term) spawn(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		t.tasks.Go(f)
	}
}

// end waits for what was spawned. The term's context must have ended.
func (t *term) end() {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.tasks.Wait()
}

// serve takes what comes over the bus.
func (t *term) serve() (stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, f := range stops {
			f()
		}
	}
	b := t.cfg.Bus
	for _, start := range []func() (func(), error){
		func() (func(), error) { return b.ServeReports(t.onReport) },
		func() (func(), error) { return b.ServeBeats(t.onBeat) },
		func() (func(), error) { return b.ServeEnrol(t.onEnrol) },
		func() (func(), error) { return b.ServeRenewals(t.onRenew) },
		func() (func(), error) { return t.serveQueries(b) },
		func() (func(), error) { return b.ServeUploads(t.uploads.onPiece) },
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

// onBeat notes that a machine is alive, and finds out when it is twice.
func (t *term) onBeat(tag string, b wire.Beat, answer func(wire.Echoed)) {
	id, ok := strings.CutPrefix(tag, events.MachineTag(""))
	if !ok || !events.IsMachine(id) {
		return
	}
	t.presence.heard(id, t.cfg.Now())
	if b.Log.Size > 0 {
		t.presence.remembers(id, b.Log)
	}
	if answer == nil || b.Instance == "" {
		return
	}
	e, clone := t.clones.greet(id, b.Instance, b.Echo, t.cfg.NewID())
	if clone {
		t.quarantine(id, "two hosts beat under its name at the same time")
	}
	answer(e)
}

// judgeRequests hands REQUESTS to the writer, in order, from where the log says.
func (t *term) judgeRequests() {
	var from uint64
	if t.writer.look(t.ctx, func(st *projections.State) { from = st.RequestsSeq + 1 }) != nil {
		return
	}
	err := t.cfg.Bus.Requests(t.ctx, from, func(r bus.Request) {
		t.lookForTools(r)
		if _, ask, err := events.ParseSigned(r.Data); err == nil && ask.Trust != nil {
			t.decideTrust(r, ask.Trust.Bundle)
			return
		}
		_ = t.writer.submitWait(t.ctx, change{decide: func(d *draft) error { return t.decideRequest(d, r) }})
	})
	if t.ctx.Err() == nil {
		t.cfg.Logger.Error("reading requests", "err", err)
	}
}

// tick lets time pass: silence, deadlines, and whatever else waits for it.
func (t *term) tick() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-t.ctx.Done():
			return
		case <-ticker.C:
			_ = t.writer.submitWait(t.ctx, change{decide: t.pass})
		}
	}
}

// pass decides what the passing of time alone brings.
func (t *term) pass(d *draft) error { return errors.Join(t.presence.decide(d), decideTimeouts(d)) }
