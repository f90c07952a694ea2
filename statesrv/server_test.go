package statesrv_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	merkle "github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/audit"
	"github.com/jujube-project/jujube/projections/status"
	"github.com/jujube-project/jujube/statesrv"
)

// place is an environment at 1.25.0 on a real bus: one operator, and a directory for the
// state server. The clock runs ahead by what a test adds to ahead.
type place struct {
	testing.TB
	bus   *bustest.Bus
	alice *bus.Conn
	host  *bus.Conn // of machine 0
	log   *bus.Log
	dir   string
	key   *merkle.Signer
	ahead atomic.Int64
	site  *statesrv.Site
	creds bus.Credentials // of the state server, whichever runs
	stop  func()          // ends the state server that was started last
	runs  bool            // it was not stopped since
}

func newPlace(t testing.TB) *place {
	t.Helper()
	return newPlaceOn(t, bustest.Start(t))
}

func newPlaceOn(t testing.TB, b *bustest.Bus) *place {
	t.Helper()
	alice := b.Operator("alice")
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	token, err := b.Accounts.StateServerJWT("state-server-0", id.Public())
	if err != nil {
		t.Fatal(err)
	}
	return &place{
		TB: t, bus: b, alice: alice, host: b.Agent("machine-0"), log: alice.Log(), dir: t.TempDir(),
		key: logKey(t, bustest.Environment), creds: bus.Credentials{JWT: token, Seed: string(id.Seed())},
		site: siteOf(t, events.Roster{Operators: []events.Operator{admin(alice)}, StateServers: []string{id.Public()}}),
	}
}

func admin(c *bus.Conn) events.Operator {
	return events.Operator{Name: "alice", Key: c.Public(), Grants: []events.Grant{{Role: events.RoleAdmin}}}
}

// rootKey and targetsKey are the operator's.
var rootKey, targetsKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))

func siteOf(t testing.TB, r events.Roster) *statesrv.Site {
	t.Helper()
	site, err := statesrv.NewSite()
	if err != nil {
		t.Fatal(err)
	}
	first, err := tuf.First(r, nil, rootKey, targetsKey, site.Online(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	site.Begin(first.Bundle())
	return site
}

// logKey makes a log key of an environment.
func logKey(t testing.TB, environment string) *merkle.Signer {
	t.Helper()
	private, _, err := merkle.NewKey(rand.Reader, environment)
	if err != nil {
		t.Fatal(err)
	}
	key, err := merkle.NewSigner(environment, private)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func bin(text string) version.Binary {
	n, err := version.Parse(text)
	if err != nil {
		panic(err)
	}
	return version.Binary{Number: n, Series: "trusty", Arch: "amd64"}
}

func (p *place) config(conn *bus.Conn) statesrv.Config {
	return statesrv.Config{
		Dir: p.dir, Name: "state-server-0", Environment: bustest.Environment, Bus: conn, System: p.bus.System(), Accounts: p.bus.Accounts,
		LogKey: p.key, Site: p.site, URLs: p.bus.URLs,
		LeaseTTL: time.Second, Now: func() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) },
		NewID: newID, Logger: slog.New(slog.DiscardHandler),
		Genesis: statesrv.Genesis{
			Settings: map[string]string{"tools-source": "none"},
			Name:     "test", AgentVersion: bin("1.25.0").Number, Operators: []events.Operator{admin(p.alice)},
			Machine: statesrv.GenesisMachine{Key: p.host.Public(), Hostname: "zero", Version: bin("1.25.0")},
		},
	}
}

// start runs a state server until stop, or the test's end, and waits until it leads.
func (p *place) start(change ...func(*statesrv.Config)) *statesrv.Server {
	p.Helper()
	s, ended := p.run(change...)
	select {
	case <-s.Ready():
	case err := <-ended:
		p.Fatalf("the state server ended: %v", err)
	}
	return s
}

// run starts a state server without waiting until it leads. ended receives the error with which it ends.
func (p *place) run(change ...func(*statesrv.Config)) (s *statesrv.Server, ended chan error) {
	p.Helper()
	cfg := p.config(p.bus.With(bus.ConnConfig{Credentials: p.creds}))
	for _, f := range change {
		f(&cfg)
	}
	s, err := statesrv.New(cfg)
	if err != nil {
		p.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended = make(chan error, 1)
	over := make(chan struct{})
	go func() {
		defer close(over)
		ended <- s.Run(ctx)
	}()
	p.runs = true
	p.stop = func() { cancel(); <-over; p.runs = false }
	p.Cleanup(p.stop)
	return s, ended
}

// wait waits for the first record behind seq for which f is true.
func (p *place) wait(seq uint64, what string, f func(events.Record) bool) events.Record {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
	defer cancel()
	for rec, err := range p.log.Follow(ctx, seq+1) {
		if err != nil {
			p.Fatalf("waiting for %s: %v", what, err)
		}
		if f(rec) {
			return rec
		}
	}
	return events.Record{}
}

func (p *place) waitKind(seq uint64, kind string) events.Record {
	p.Helper()
	return p.wait(seq, kind, func(r events.Record) bool { return r.Kind == kind })
}

// publish stores a request of alice's that is judged within a minute, or never.
func (p *place) publish(ask events.Ask) string {
	p.Helper()
	now := time.Now().Add(time.Duration(p.ahead.Load()))
	ask.ID, ask.Created = newID(), now
	if ask.Environment == "" {
		ask.Environment = bustest.Environment
	}
	if ask.Expires.IsZero() {
		ask.Expires = now.Add(time.Minute)
	}
	if body, err := json.Marshal(ask); err == nil && ask.Machines == nil {
		p.resolve(&ask, body)
	}
	if !p.runs {
		p.bus.StoreRequest(p.alice.Identity(), ask)
	} else if _, err := p.alice.PublishRequest(p.Context(), p.alice.Identity(), ask); err != nil {
		p.Fatal(err)
	}
	return ask.ID
}

// resolve does what a client does: it signs the machines that the request is about.
func (p *place) resolve(ask *events.Ask, body []byte) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), 5*time.Second)
	defer cancel()
	b, err := p.alice.Ask(ctx, "resolve", body)
	var r wire.Resolution
	if err != nil || json.Unmarshal(b, &r) != nil || len(r.Machines) == 0 {
		return
	}
	list, err := warrant.NewList(r.Machines)
	if err == nil {
		ask.Machines, err = list.Signed()
	}
	if err != nil {
		p.Fatal(err)
	}
	ask.Until = ask.Created.Add(events.MaxRequestLife)
	if ask.AddUnit != nil && r.Unit != nil {
		ask.AddUnit.Command, ask.AddUnit.Env, ask.AddUnit.Restart = r.Unit.Command, r.Unit.Env, r.Unit.Restart
	}
	if ask.Upgrade != nil {
		ask.Upgrade.Rollback = ask.Upgrade.To.Compare(r.Newest) < 0
	}
}

// ask publishes a request and gives what was decided: the kinds of the records, or the codes of the refusal.
// If it is an upgrade, release managers sign its archives before.
func (p *place) ask(ask events.Ask) (id, decision string) {
	p.Helper()
	if ask.Upgrade != nil {
		p.signTools(ask.Upgrade.Artefacts...)
	}
	return p.askAsIs(ask)
}

// askAsIs is ask without signing archives.
func (p *place) askAsIs(ask events.Ask) (id, decision string) {
	p.Helper()
	id = p.publish(ask)
	return id, p.decision(id)
}

// decision waits until a request is judged, and gives what was decided.
func (p *place) decision(id string) string {
	p.Helper()
	first := p.wait(0, "a decision", func(r events.Record) bool { return r.Correlation == id })
	last, err := p.log.Last(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	var words []string
	for rec, err := range p.log.Read(p.Context(), first.Seq, last) {
		if err != nil {
			p.Fatal(err)
		}
		if rec.Correlation != id || rec.Time != first.Time {
			continue
		}
		payload, err := events.Decode(rec)
		if err != nil {
			p.Fatal(err)
		}
		switch refused := payload.(type) {
		case *events.RequestRefused:
			return codes(refused.Reasons)
		case *events.UpgradeRefused:
			return codes(refused.Reasons)
		}
		words = append(words, rec.Kind)
	}
	return strings.Join(words, " ")
}

func codes(reasons []events.Reason) string {
	words := []string{"refused:"}
	for _, r := range reasons {
		words = append(words, r.Code)
	}
	return strings.Join(words, " ")
}

// state folds the log, and checks on the way that the served projection is the same.
func (p *place) state() *projections.State {
	p.Helper()
	var served wire.Position
	p.query("digest", nil, &served)
	s, v := projections.New(), audit.NewVerifier()
	for rec, err := range p.log.Read(p.Context(), 1, served.Seq) {
		v.Fold(rec, err)
		s.Fold(rec)
	}
	v.Served(served.Seq, served.Digest)
	for _, f := range v.Findings {
		p.Errorf("audit: %+v", f)
	}
	return s
}

// folded folds the log.
func (p *place) folded() *projections.State {
	p.Helper()
	s := projections.New()
	last, err := p.log.Last(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	for rec := range p.log.Read(p.Context(), 1, last) {
		s.Fold(rec)
	}
	return s
}

// query asks a question as alice, and decodes the answer.
func (p *place) query(name string, body, answer any) {
	p.Helper()
	in, err := json.Marshal(body)
	if err != nil {
		p.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.Context(), 20*time.Second)
	defer cancel()
	out, err := p.alice.Ask(ctx, name, in)
	if err != nil {
		p.Fatal(err)
	}
	if err := json.Unmarshal(out, answer); err != nil {
		p.Fatalf("query %s: %v in %s", name, err, out)
	}
}

// toolsOf makes tools of a version out of some text.
func toolsOf(v, text string) (tools.Tools, []byte) {
	sum := sha256.Sum256([]byte(text))
	return tools.Tools{Version: bin(v), Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}, []byte(text)
}

// upload announces and sends an archive.
func (p *place) upload(t tools.Tools, data []byte) error {
	p.Helper()
	id, _ := p.ask(events.Ask{
		Action: events.ActionSyncTools, SyncTools: &events.AskSyncTools{Source: "here", Wanted: []version.Binary{t.Version}, Unsigned: true},
	})
	ctx, cancel := context.WithTimeout(p.Context(), 20*time.Second)
	defer cancel()
	return p.alice.Upload(ctx, wire.PieceHead{Tools: t, Request: id}, bytes.NewReader(data), nil)
}

func upgrade(t tools.Tools) events.Ask {
	return events.Ask{Action: events.ActionUpgrade, Upgrade: &events.AskUpgrade{
		To: t.Version.Number, Client: t.Version.Number, Artefacts: []tools.Tools{t},
	}}
}

// invite enrols a new machine with a token, as a host would, and returns it running.
func (p *place) invite() *agent {
	p.Helper()
	tokenKey, err := bus.NewIdentity()
	if err != nil {
		p.Fatal(err)
	}
	seq, _ := p.log.Last(p.Context())
	p.ask(events.Ask{Action: events.ActionAddMachine, AddMachine: &events.AskAddMachine{TokenKeys: []string{tokenKey.Public()}, TTL: 60}})
	invited := decode[*events.MachineInvited](p, p.waitKind(seq, "machine.invited/1"))
	creds, err := p.bus.Accounts.EnrolCredentials()
	if err != nil {
		p.Fatal(err)
	}
	host, err := bus.NewIdentity()
	if err != nil {
		p.Fatal(err)
	}
	token := bus.JoinToken{
		Environment: bustest.Environment, Machine: invited.Machine, URLs: p.bus.URLs, Authorities: p.bus.Accounts.Certificates(),
		Enrol: creds, Seed: string(tokenKey.Seed()),
	}
	joins := wire.EnrolRequest{Hostname: "h", Version: bin("1.25.0").String()}
	enrolled, err := p.bus.With(bus.ConnConfig{Credentials: creds}).Enrol(p.Context(), token, host, joins)
	if err != nil {
		p.Fatal(err)
	}
	conn := p.bus.With(bus.ConnConfig{Credentials: bus.Credentials{JWT: enrolled.JWT, Seed: string(host.Seed())}})
	return p.agent(enrolled.Machine, conn)
}

func decode[P events.Payload](p *place, rec events.Record) P {
	p.Helper()
	payload, err := events.Decode(rec)
	if err != nil {
		p.Fatal(err)
	}
	return payload.(P)
}

// agent plays a machine agent without a host: it obeys each order by reporting every step, and then runs the
// new version.
type agent struct {
	p       *place
	id      string
	conn    *bus.Conn
	mu      sync.Mutex
	n       uint64
	orders  map[string]int // how often each was received
	breaks  bool           // rolls every upgrade back
	running version.Binary
}

// agent runs one until the test ends.
func (p *place) agent(id string, conn *bus.Conn) *agent {
	a := &agent{p: p, id: id, conn: conn, orders: map[string]int{}, running: bin("1.25.0")}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		_ = conn.Orders(ctx, events.MachineTag(id), func(rec events.Record) { a.obey(ctx, rec) })
	})
	p.Cleanup(func() { cancel(); all.Wait() })
	return a
}

// obey reports every step of an order, and its end.
func (a *agent) obey(ctx context.Context, rec events.Record) {
	payload, err := events.Decode(rec)
	if err != nil {
		a.p.Error(err)
		return
	}
	switch order := payload.(type) {
	case *events.RestartOrdered:
		done := &events.RestartDone{PID: 2}
		done.Order = order.Order
		a.report(ctx, done)
	case *events.OrderIssued:
		a.orders[order.Order]++
		down, staged, restarting := &events.AgentDownloading{}, &events.AgentStaged{}, &events.AgentRestarting{From: order.From, To: order.Tools.Version.Number}
		down.Order, staged.Order, restarting.Order = order.Order, order.Order, order.Order
		for _, r := range []events.Report{down, staged, restarting} {
			a.report(ctx, r)
		}
		if a.breaks {
			back := &events.AgentRolledBack{Version: a.running, Failure: events.Failure{Step: "trial", Cause: events.CauseVersion, Code: "crashed", Text: "it crashed"}}
			back.Order = order.Order
			a.report(ctx, back)
			return
		}
		a.running = order.Tools.Version
		a.report(ctx, &events.AgentStarted{Version: a.running, PID: 2})
		done := &events.AgentUpgraded{Version: a.running}
		done.Order = order.Order
		a.report(ctx, done)
	}
}

// report sends a report again and again until the state server has it, as the outbox of an agent does.
func (a *agent) report(ctx context.Context, r events.Report) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n++
	r.SetHead(events.ReportHead{Machine: a.id, Epoch: "e1", N: a.n})
	rec, err := events.New(events.Envelope{ID: newID(), Time: time.Now(), Actor: events.MachineTag(a.id)}, r)
	if err == nil {
		rec, err = rec.Signed(a.conn.Identity())
	}
	if err != nil {
		a.p.Error(err)
		return
	}
	for ctx.Err() == nil {
		answer, err := a.try(ctx, rec)
		switch {
		case err == nil && (answer.Code == "" || answer.Code == wire.ReportDuplicate):
			return
		case err == nil && answer.Code == wire.ReportInvalid:
			a.p.Errorf("machine %s: %s is refused: %s", a.id, rec.Kind, answer.Text)
			return
		}
	}
}

func (a *agent) try(ctx context.Context, rec events.Record) (wire.ReportAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return a.conn.Report(ctx, events.MachineTag(a.id), rec)
}

// zero is machine 0, the state server's own.
func (p *place) zero() *agent { return p.agent("0", p.host) }

func TestAnUpgradeFromRequestToCompletion(t *testing.T) {
	p := newPlace(t)
	p.start()
	p.zero()
	for range 3 {
		p.invite()
	}
	next, data := packed(t, "1.25.1", strings.Repeat("new jujud ", 100_000))
	if _, got := p.ask(upgrade(next)); got != "refused: no-tools" {
		t.Fatalf("an upgrade without tools is %q", got)
	}
	if err := p.upload(next, data); err != nil {
		t.Fatal(err)
	}
	id, got := p.ask(upgrade(next))
	if !strings.HasPrefix(got, "upgrade.requested/1 upgrade.accepted/1") {
		t.Fatalf("the upgrade is %q", got)
	}
	p.proved(id)
	p.wait(0, "the end", func(r events.Record) bool { return r.Kind == "upgrade.completed/1" && r.Correlation == id })
	s := p.state()
	if s.AgentVersion != next.Version.Number || s.Upgrade != nil || len(s.Orders) > 0 {
		t.Fatalf("afterwards the environment wants %v, with upgrade %+v and orders %v", s.AgentVersion, s.Upgrade, s.Orders)
	}
	for id, m := range s.Machines {
		if m.Version != next.Version {
			t.Errorf("machine %s runs %v", id, m.Version)
		}
	}
	if _, got := p.ask(upgrade(next)); got != "refused: nothing-to-do" {
		t.Fatalf("the same upgrade again is %q", got)
	}
}

func TestARestartInTheMiddleLosesNothing(t *testing.T) {
	p := newPlace(t)
	p.start()
	p.zero()
	agents := []*agent{p.invite(), p.invite(), p.invite()}
	next, data := packed(t, "1.25.1", "new jujud")
	if err := p.upload(next, data); err != nil {
		t.Fatal(err)
	}
	p.publish(events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-max-in-flight": "1"}})
	id, _ := p.ask(upgrade(next)) // release managers sign what it asks for
	seq := uint64(0)
	for range 3 { // each time in the middle of somebody's order
		seq = p.waitKind(seq, "order.issued/1").Seq
		p.stop()
		p.start()
	}
	p.wait(0, "the end", func(r events.Record) bool { return r.Kind == "upgrade.completed/1" && r.Correlation == id })
	p.state()
	for _, a := range agents {
		if len(a.orders) != 1 {
			t.Errorf("machine %s was given %d orders, want 1", a.id, len(a.orders))
		}
	}
}

func TestABrokenVersionHaltsAndIsAborted(t *testing.T) {
	p := newPlace(t)
	p.start()
	p.zero()
	broken := p.invite()
	broken.breaks = true
	p.publish(events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-max-in-flight": "1"}})
	bad, badData := packed(t, "1.25.1", "bad")
	good, goodData := packed(t, "1.25.2", "good")
	if err := errors.Join(p.upload(bad, badData), p.upload(good, goodData)); err != nil {
		t.Fatal(err)
	}
	id, _ := p.ask(upgrade(bad))
	halted := decode[*events.UpgradeHalted](p, p.waitKind(0, "upgrade.halted/1"))
	if codes(halted.Reasons) != "refused: machine-rolled-back" || halted.Upgrade != id {
		t.Fatalf("halted for %+v", halted.Reasons)
	}
	ask := upgrade(good)
	if _, got := p.ask(ask); got != "refused: conflict" {
		t.Fatalf("another upgrade is %q", got)
	}
	var check wire.Check
	p.query("upgrade-check", ask.Upgrade, &check)
	if codes(check.Reasons) != "refused: conflict" {
		t.Fatalf("the check says %+v", check.Reasons)
	}
	broken.breaks, ask.Upgrade.Reset = false, true
	if _, got := p.ask(ask); !strings.HasPrefix(got, "upgrade.requested/1 upgrade.aborted/1 upgrade.accepted/1") {
		t.Fatalf("the reset is %q", got)
	}
	p.waitKind(0, "upgrade.completed/1")
	p.state()
}

func TestRequestsThatWaitedAreJudgedInOrder(t *testing.T) {
	p := newPlace(t)
	set := func(v string) events.Ask {
		return events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-policy": v}}
	}
	expired := set("patch")
	expired.Expires = time.Now().Add(-time.Second)
	foreign := set("patch")
	foreign.Environment = "99999999-2222-3333-4444-555555555555"
	stranger := p.bus.Operator("mallory") // NATS knows mallory, the environment does not
	strange := newID()
	p.bus.StoreRequest(stranger.Identity(), events.Ask{
		ID: strange, Environment: bustest.Environment, Action: events.ActionSetEnv, Created: time.Now(), Expires: time.Now().Add(time.Minute),
		SetEnv: map[string]string{"upgrade-policy": "newest"},
	})
	ids := []string{p.publish(set("patch")), p.publish(expired), p.publish(foreign), p.publish(set("newest"))}
	p.start()
	for i, want := range []string{
		"request.received/1 setting.changed/1", "refused: req-expired", "refused: other-environment", "request.received/1 setting.changed/1",
	} {
		if got := p.decision(ids[i]); got != want {
			t.Errorf("request %d is %q, want %q", i, got, want)
		}
	}
	if got := p.decision(strange); got != "refused: req-operator" {
		t.Errorf("BI-42: a stranger's request is %q", got)
	}
	s := p.state()
	if s.Settings["upgrade-policy"] != "newest" || s.RequestsSeq != 5 || len(s.Requests) != 5 {
		t.Fatalf("the setting is %q, REQUESTS is judged up to %d, %d are known", s.Settings["upgrade-policy"], s.RequestsSeq, len(s.Requests))
	}
	p.stop()
	p.start()
	if _, got := p.ask(set("step")); got != "request.received/1 setting.changed/1" {
		t.Fatalf("after a restart a request is %q", got)
	}
	if n := len(p.state().Requests); n != 6 {
		t.Fatalf("%d requests are known, want 6: none is judged twice", n)
	}
}

func TestWhatTheLogCannotHoldIsRefused(t *testing.T) {
	p := newPlace(t)
	p.start()
	long := strings.Repeat("x", 40<<10)
	got := ""
	for n := 0; n < 20 && !strings.HasPrefix(got, "refused"); n++ {
		_, got = p.ask(events.Ask{Action: events.ActionDeploy, Deploy: &events.AskDeploy{Service: "web", Machine: "0", Command: []string{"sh", "-c", long}}})
	}
	if got != "refused: malformed" {
		t.Fatalf("the last unit is %q", got)
	}
	s := p.state()
	last := events.Ask{Action: events.ActionRemoveUnit, RemoveUnit: fmt.Sprintf("web/%d", len(s.Units)-1)}
	if _, got := p.ask(last); got != "request.received/1 unit.removed/1 units.assigned/1" {
		t.Fatalf("removing the last unit is %q", got)
	}
}

func TestRestartOrdersAreMerged(t *testing.T) {
	p := newPlace(t)
	p.start()
	all := events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{All: true}}
	if _, got := p.ask(all); got != "restart.requested/1 restart.ordered/1" {
		t.Fatalf("a restart is %q", got)
	}
	if _, got := p.ask(all); got != "restart.requested/1" {
		t.Fatalf("a second restart is %q", got)
	}
	p.zero()
	p.waitKind(0, "restart.done/1")
	p.state()
}

// Another writer's record is the fence: the leader steps down, reads it, leads again,
// and the sender whose change was not stored is told to come back. Since nobody asked for what
// the record says, it changes nothing (B05).
func TestADeposedLeaderIsFenced(t *testing.T) {
	p := newPlace(t)
	p.start()
	zero := p.zero()
	rival := p.bus.StateServer().Log()
	for i := range 3 {
		last, err := rival.Last(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rec, err := events.New(events.Envelope{ID: newID(), Time: time.Now(), Actor: "state-server-9"}, &events.SettingChanged{Key: "upgrade-policy", Value: "patch"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rival.Append(t.Context(), last, rec); err != nil {
			t.Fatal(err)
		}
		zero.report(t.Context(), &events.AgentStarted{Version: bin("1.25.0"), PID: i})
	}
	var s status.Status
	p.query("status", nil, &s)
	if set := p.folded(); set.Machines["0"].Reports != 3 || set.Settings["upgrade-policy"] != "" || s.Log.Disbelieved != 3 {
		t.Fatalf("the log holds %d reports and policy %q, and %d records are not believed", set.Machines["0"].Reports, set.Settings["upgrade-policy"],
			s.Log.Disbelieved)
	}
}

func TestTheNextStateServerTakesOver(t *testing.T) {
	p := newPlace(t)
	p.start()
	stopFirst := p.stop
	second, _ := p.run(func(c *statesrv.Config) { c.Name, c.Dir = "state-server-1", t.TempDir() })
	select {
	case <-second.Ready():
		t.Fatal("two state servers lead")
	default:
	}
	_, got := p.ask(events.Ask{Action: events.ActionUnsetEnv, UnsetEnv: []string{"upgrade-policy"}})
	stopFirst()
	<-second.Ready()
	if _, again := p.ask(events.Ask{Action: events.ActionUnsetEnv, UnsetEnv: []string{"upgrade-policy"}}); again != got {
		t.Fatalf("the second decides %q, the first %q", again, got)
	}
	p.state()
}

func TestSilenceIsRecorded(t *testing.T) {
	p := newPlace(t)
	p.start()
	p.ahead.Add(int64(time.Minute))
	lost := p.waitKind(0, "machine.lost/1")
	beating := beats(p, "machine-0")
	p.waitKind(lost.Seq, "machine.returned/1")
	beating()
	p.state()
}

// beats says again and again that a machine is alive, as an agent does, until stop is called. A
// single heartbeat may be lost: a state server that leads anew has heard nobody.
func beats(p *place, tag string) (stop func()) {
	agent := p.bus.Agent(tag)
	ctx, cancel := context.WithCancel(p.Context())
	var beating sync.WaitGroup
	beating.Go(func() {
		again := time.NewTicker(500 * time.Millisecond)
		defer again.Stop()
		for {
			if err := agent.Beat(tag, wire.Beat{Version: "1.25.0"}); err != nil {
				p.Errorf("beat: %v", err)
			}
			select {
			case <-again.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); beating.Wait() }
}

func TestAnUnansweredOrderTimesOut(t *testing.T) {
	p := newPlace(t)
	p.start()
	next, data := packed(t, "1.25.1", "new")
	if err := p.upload(next, data); err != nil {
		t.Fatal(err)
	}
	p.ask(upgrade(next))
	p.waitKind(0, "order.issued/1") // it must be older than the jump
	p.ahead.Add(int64(2 * time.Hour))
	halted := decode[*events.UpgradeHalted](p, p.waitKind(0, "upgrade.halted/1"))
	if codes(halted.Reasons) != "refused: machine-timed-out" {
		t.Fatalf("halted for %+v", halted.Reasons)
	}
	p.state()
}

func TestALogOfAnotherEnvironmentIsLeftAlone(t *testing.T) {
	p := newPlace(t)
	p.start()
	p.stop()
	const other = "99999999-2222-3333-4444-555555555555"
	_, ended := p.run(func(c *statesrv.Config) { c.Environment, c.Dir, c.LogKey = other, t.TempDir(), logKey(t, other) })
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "it is the log of environment") {
		t.Fatalf("it ended with %v", err)
	}
}

func TestABadGenesisWritesNothing(t *testing.T) {
	p := newPlace(t)
	_, ended := p.run(func(c *statesrv.Config) { c.Genesis.Machine.Key = "" })
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "genesis") {
		t.Fatalf("it ended with %v", err)
	}
	if last, err := p.log.Last(t.Context()); err != nil || last != 0 {
		t.Fatalf("the log ends at %d, %v", last, err)
	}
}

func TestSnapshots(t *testing.T) {
	p := newPlace(t)
	p.start()
	p.ask(events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-policy": "patch"}})
	p.stop()
	file := filepath.Join(p.dir, "snapshot.json")
	good, err := os.ReadFile(file)
	for range 5 { // a term that is ended in the middle of a write leaves none
		if err == nil {
			break
		}
		p.start()
		p.stop()
		good, err = os.ReadFile(file)
	}
	if err != nil {
		t.Fatal(err)
	}
	ahead := projections.New()
	ahead.UUID, ahead.Seq = bustest.Environment, 1000
	other := projections.New()
	other.UUID, other.Seq, other.Time = bustest.Environment, 2, time.Unix(1, 0).UTC()
	for name, b := range map[string][]byte{
		"whole": good, "cut": good[:len(good)/2], "empty": nil, "of another log": projections.EncodeSnapshot(other),
		"changed": bytes.Replace(good, []byte("patch"), []byte("newest"), 1),
	} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		p.start()
		if s := p.state(); s.Settings["upgrade-policy"] != "patch" {
			t.Errorf("with a snapshot that is %s the setting is %q", name, s.Settings["upgrade-policy"])
		}
		p.stop()
	}
	if err := os.WriteFile(file, projections.EncodeSnapshot(ahead), 0o600); err != nil {
		t.Fatal(err)
	}
	_, ended := p.run()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "has seen 1000") {
		t.Fatalf("with a snapshot that is ahead of the log it ended with %v", err)
	}
}
