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
	Secrets   Opener        // the same key: it opens the environments of units
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
	cfg       Config
	layout    install.Layout
	outbox    *outbox
	witness   *witness
	units     *units
	trust     *trust
	unjudged  *unjudged
	newest    newestOrder // of the goroutine of obey alone
	downloads *downloads
	steps     *upgradeSteps
	guest     confines // of a staged version's self-test

	inputs chan Input     // to the loop, from whoever works beside it
	state  State          // of the loop alone
	jobs   sync.WaitGroup // all that works beside the loop

	started chan struct{} // closed when the report of this process's start is in the outbox

	// Only the loop touches these.
	work  *work              // newest job on an order
	trial context.CancelFunc // ends the steps and the proof of a version on trial

	alive *time.Ticker // when the loop tells the launcher that it turns
}

// work is a job that runs beside the loop.
type work struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// New reads the journal and opens the outbox. It starts nothing.
func New(cfg Config) (*Agent, error) {
	a := &Agent{
		cfg: cfg, layout: cfg.Conf.Layout(), unjudged: newUnjudged(), guest: selfCheckConfines,
		steps:  newUpgradeSteps(cfg.Steps, cfg.Conf, cfg.StateServer, cfg.Own.Number),
		inputs: make(chan Input, 16), started: make(chan struct{}), trial: func() {},
	}
	a.downloads = &downloads{layout: a.layout, bus: cfg.Bus, window: limits.DownloadWindow, tell: a.tell, logger: cfg.Logger}
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
	a.newest.seq = j.Seq
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
	a.units = newUnits(a.layout, cfg.Own.Number, secrets{cfg.Conf.Environment, cfg.Secrets}, a.tell, cfg.Logger)
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

// tellStart puts the first report of this process into the outbox, however long the disk
// refuses it: by this report the state server learns which version runs here.
func (a *Agent) tellStart(ctx context.Context) {
	started := a.state.Start()
	started.SHA256, started.Restart, started.Units = a.archive(), a.cfg.Restarts, events.UnitsWithUsers
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

// archive is the digest of the tools that this process was installed from; empty if that
// cannot be told.
func (a *Agent) archive() string {
	m, err := a.layout.Verify(a.cfg.Own.String())
	if err != nil {
		return ""
	}
	return m.Archive
}

// farewell gives the last reports a moment to be sent before the process ends. A report that
// is not sent now is sent by the next process: it is in the outbox.
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

// wait is the only place where the loop waits: for an input, or until a time. It returns nil
// when that time has come or ctx has ended. While it waits it tells the launcher that the
// agent is alive. No other goroutine may say so: a loop that hangs must fall silent.
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

// step takes one step. If the disk refuses what the step must leave there, the same step is
// taken again later, from the same state: a full disk makes the agent wait, and does not end
// it. The new state counts only when all effects are done.
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
