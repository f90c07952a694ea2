package agent

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/steps"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

// Bus is what an agent needs of the bus.
type Bus interface {
	// Orders hands the newest records of the machine's order subjects to f until ctx ends.
	Orders(ctx context.Context, f func(events.Record)) error
	// Report sends a report and says what became of it.
	Report(ctx context.Context, rec events.Record) (Answer, error)
	// Beat says that the agent is alive. log is what of the log was believed last.
	Beat(v version.Number, log tree.Head) error
	// Fetch writes an archive of tools from byte offset on.
	Fetch(ctx context.Context, sha256 string, offset int64, w io.Writer) (int64, error)
	// Connected says whether the connection stands.
	Connected() bool
}

// Parent is the launcher, as the agent sees it.
type Parent interface {
	Ready() error
	Alive() error
	Healthy(order string) error
	Restart() error
}

// Config is what an agent needs.
type Config struct {
	Conf      Conf
	Identity  events.Signer // the machine's key: it signs every report
	Bus       Bus
	Parent    Parent
	Committed <-chan string // from the launcher: orders whose new version is kept
	Own       version.Binary
	Steps     []steps.Release // upgrade steps of this build
	PID       int
	Restarts  int

	StateServer bool // this process is a state server too

	Now    func() time.Time
	NewID  func() string
	Logger *slog.Logger
}

// Agent is one process of a machine's agent.
type Agent struct {
	cfg     Config
	layout  install.Layout
	outbox  *outbox
	witness *witness
	units   *units
	trust   *trust
	docket  *docket
	inputs  chan Input
	state   State
	jobs    sync.WaitGroup

	started chan struct{} // closed when the report of this process's start is in the outbox

	steps  sync.Mutex         // held while steps are taken or undone
	conf   Conf               // under steps
	work   *work              // newest job on an order
	guest  confines           // of a staged version's self-test
	window time.Duration      // over which a download must not be too slow
	trial  context.CancelFunc // of the steps and the proof

	alive *time.Ticker // when the loop tells the launcher that it turns
}

// work is a job that runs beside the loop.
type work struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// New reads the journal and opens the outbox. It starts nothing.
func New(cfg Config) (*Agent, error) {
	a := &Agent{cfg: cfg, conf: cfg.Conf, layout: cfg.Conf.Layout(), docket: newDocket(), inputs: make(chan Input, 16), started: make(chan struct{}), trial: func() {}, window: limits.DownloadWindow, guest: selfCheckConfines}
	j, err := a.layout.ReadJournal()
	if errors.Is(err, install.ErrJournal) {
		cfg.Logger.Error("the journal cannot be read; beginning a new one", "err", err)
	} else if err != nil {
		return nil, err
	}
	a.state = State{
		Journal: j, Machine: cfg.Conf.Machine(), Running: cfg.Own, PID: cfg.PID,
		Reached: cfg.Conf.UpgradedToVersion, Begun: cfg.Conf.UpgradingToVersion,
	}
	if j.Phase == install.PhaseTrial && j.Order != nil && j.Order.Tools.Version != cfg.Own {
		cfg.Logger.Error("this is not the version on trial, so it proves nothing", "version", cfg.Own.String(), "on trial", j.Order.Tools.Version.String())
	}
	a.outbox, err = openOutbox(a.layout.Outbox(), a.layout.Machine, cfg.Identity, cfg.Now, cfg.NewID, cfg.Logger)
	if err != nil {
		return nil, err
	}
	if a.witness, err = openWitness(a.layout, cfg.Conf.Environment, cfg.Logger); err != nil {
		return nil, err
	}
	a.trust, err = openTrust(a.layout, cfg.Conf.Anchor(), cfg, a.tell)
	if err != nil {
		return nil, err
	}
	a.units = newUnits(a.layout, cfg.Own.Number, a.tell, cfg.Logger)
	return a, nil
}

// ErrRestart is returned by Run when the launcher is to start the next process.
var ErrRestart = errors.New("restart")

// Run is the agent until ctx ends. keep says, then, whether workloads are left running;
// they are, always, when Run ends to restart.
func (a *Agent) Run(ctx context.Context, keep func() bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.tellStart(ctx)
	if err := a.units.load(); err != nil {
		a.cfg.Logger.Error("units", "err", err)
	}
	for _, loop := range []func(context.Context){a.send, a.followOrders, a.obey, a.beat, a.committed, a.trust.run} {
		a.jobs.Go(func() { loop(ctx) })
	}
	a.alive = time.NewTicker(cmp.Or(a.cfg.Conf.Values.SilenceTimeout, defaultSilence) / alivePerSilence)
	defer a.alive.Stop()
	if err := errors.Join(a.cfg.Parent.Alive(), a.cfg.Parent.Ready()); err != nil {
		return err
	}
	err := a.loop(ctx)
	restart := errors.Is(err, ErrRestart)
	if restart {
		a.farewell(ctx)
	}
	a.units.end(restart || keep())
	cancel()
	a.jobs.Wait()
	return err
}

// tellStart puts the first report of this process, however long the disk refuses it: what
// the centre believes to run here hangs on it.
func (a *Agent) tellStart(ctx context.Context) {
	started := a.state.Start()
	started.SHA256, started.Restart = a.archive(), a.cfg.Restarts
	put := func() error {
		_, err := a.outbox.put(started)
		if err != nil {
			a.cfg.Logger.Error("keeping a report", "kind", started.Kind(), "err", err)
			return err
		}
		close(a.started)
		return nil
	}
	if put() == nil {
		return
	}
	a.jobs.Go(func() {
		if diskPauses.Wait(ctx, 0) == nil {
			_ = diskPauses.Retry(ctx, put)
		}
	})
}

// archive is the digest of the tools that this process was installed from.
func (a *Agent) archive() string {
	m, err := a.layout.Verify(a.cfg.Own.String())
	if err != nil {
		return ""
	}
	return m.Archive
}

// farewell gives the last reports a moment to leave before the process does. What does
// not leave now is sent by the next one.
func (a *Agent) farewell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewellTime)
	defer cancel()
	a.outbox.drained(ctx)
	if err := a.cfg.Parent.Restart(); err != nil {
		a.cfg.Logger.Error("asking for a restart", "err", err)
	}
}

const farewellTime = 2 * time.Second

// loop steps the state machine, one input at a time.
func (a *Agent) loop(ctx context.Context) error {
	for input := Input(Started{}); input != nil; input = a.wait(ctx, a.inputs, nil) {
		if err := a.step(ctx, input); err != nil {
			return err
		}
	}
	return nil
}

// wait is where the loop waits: for an input, or until a time. It returns nil when the
// time or ctx has come. While it waits it says that the loop turns; nobody else may say
// that, so that a loop which hangs is found out.
func (a *Agent) wait(ctx context.Context, inputs <-chan Input, until <-chan time.Time) Input {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-until:
			return nil
		case input := <-inputs:
			return input
		case <-a.alive.C:
			if err := a.cfg.Parent.Alive(); err != nil {
				a.cfg.Logger.Warn("telling the launcher", "err", err) // it is gone; Stopped says so, too
			}
		}
	}
}

// The launcher's patience with a silent agent, and how often within it an agent speaks.
const (
	defaultSilence  = 30 * time.Second
	alivePerSilence = 6
)

// step takes one step. When the disk refuses what the step must leave there, the step is
// taken again later: the agent waits for a full disk, it does not die of it.
func (a *Agent) step(ctx context.Context, input Input) error {
	for failed := 0; ; failed++ {
		next, effects := Step(a.state, input)
		err := a.doAll(ctx, effects)
		if err == nil || errors.Is(err, ErrRestart) {
			a.state = next
			return err
		}
		a.cfg.Logger.Error("keeping on disk what happens; trying again", "err", err)
		if a.wait(ctx, nil, time.After(diskPauses.Pause(failed))); ctx.Err() != nil {
			return nil
		}
	}
}

func (a *Agent) doAll(ctx context.Context, effects []Effect) error {
	for _, e := range effects {
		if err := a.do(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// do does one effect. What takes long goes on beside the loop and comes back as input.
func (a *Agent) do(ctx context.Context, e Effect) error {
	switch e := e.(type) {
	case Save:
		return a.layout.WriteJournal(e.Journal)
	case Tell:
		if _, err := a.outbox.put(e.Report); err != nil && isNeeded(e.Report) {
			return err
		} else if err != nil {
			a.cfg.Logger.Error("keeping a report", "kind", e.Report.Kind(), "err", err)
		}
	case Download:
		a.job(ctx, func(ctx context.Context) Input { return Downloaded{e.Order.ID, a.download(ctx, e.Order)} })
	case Stage:
		a.job(ctx, func(context.Context) Input { return Staged{e.Order.ID, a.stage(e)} })
	case Test:
		a.job(ctx, func(ctx context.Context) Input { return Tested{e.Order.ID, a.test(ctx, e.Order.Tools.Version)} })
	case Undo:
		a.trial() // nobody takes steps meanwhile
		a.job(ctx, func(ctx context.Context) Input { return Undone{e.Order, e.To, a.undo(ctx, e)} })
	case Switch:
		a.job(ctx, func(context.Context) Input { return Switched{e.Order.ID, a.switchTo(e.Order)} })
	case Drop:
		a.drop()
	case TakeSteps:
		a.jobs.Go(func() { a.takeSteps(a.onTrial(ctx), e) })
	case Prove:
		a.jobs.Go(func() { a.prove(a.onTrial(ctx), e.Order) })
	case Vouch:
		if err := a.cfg.Parent.Healthy(e.Order); err != nil {
			a.cfg.Logger.Error("telling the launcher", "err", err)
		}
	case Collect:
		if err := a.layout.CollectGarbage(e.Keep...); err != nil {
			a.cfg.Logger.Warn("removing old versions", "err", err)
		}
	case Restart:
		return ErrRestart
	}
	return nil
}

// job runs f beside the loop, once the job before it, which it ends, is over.
func (a *Agent) job(ctx context.Context, f func(context.Context) Input) {
	before := a.work
	if before != nil {
		before.cancel()
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &work{cancel: cancel, done: make(chan struct{})}
	a.work = w
	a.jobs.Go(func() {
		defer close(w.done)
		if before != nil {
			<-before.done
		}
		if in := f(ctx); ctx.Err() == nil { // what was cut off did not fail
			a.input(ctx, in)
		}
	})
}

func (a *Agent) input(ctx context.Context, in Input) {
	select {
	case a.inputs <- in:
	case <-ctx.Done():
	}
}

// onTrial is the context of one job of a trial; drop ends it.
func (a *Agent) onTrial(ctx context.Context) context.Context {
	a.trial()
	ctx, a.trial = context.WithCancel(ctx)
	return ctx
}

func (a *Agent) drop() {
	if a.work != nil {
		a.work.cancel()
	}
	a.trial()
}

// tell puts a report into the outbox. A full disk must not stop the agent.
func (a *Agent) tell(r events.Report) {
	if _, err := a.outbox.put(r); err != nil {
		a.cfg.Logger.Error("keeping a report", "kind", r.Kind(), "err", err)
	}
}

func (a *Agent) send(ctx context.Context) { a.outbox.run(ctx, a.cfg.Bus.Report) }

const defaultBeat = 5 * time.Second

func (a *Agent) beat(ctx context.Context) {
	every := a.cfg.Conf.Values.Beat
	if every == 0 {
		every = defaultBeat
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if err := a.cfg.Bus.Beat(a.cfg.Own.Number, a.witness.head()); err != nil {
			a.cfg.Logger.Debug("beating", "err", err)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}
