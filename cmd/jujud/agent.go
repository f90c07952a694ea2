package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/pprof"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/pipe"
	"github.com/jujube-project/jujube/agent/steps"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/statesrv"
)

func (o *options) agentCommand() *cobra.Command {
	return &cobra.Command{
		Use: "agent", Short: "Be this machine's agent; started by jujud machine.", Hidden: true, Args: noArgs,
		Long:    "Be this machine's agent. jujud machine starts it and speaks with it over two pipes.",
		Example: "  jujud agent --data-dir /var/lib/juju",
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.agent(cmd.Context()) },
	}
}

// agent runs the state server, if this machine is one, and then the agent; it ends them
// in the other order.
func (o *options) agent(ctx context.Context) error {
	parent, err := pipe.Open()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_ = parent.Listen(ctx)
		stop()
	}()
	log := o.logger()
	go followSignals(ctx, parent, stop, log)
	conf, err := agent.LoadConf(o.dataDir)
	if err != nil {
		return err
	}
	unlock, err := host.Lock(conf.Layout().AgentLock())
	if err != nil {
		return err
	}
	defer unlock()
	misbehave(o.dataDir, "start")
	var nats bus.InProcess // nil: NATS runs elsewhere
	if statesrv.IsStateServer(o.dataDir) {
		role, err := startStateServer(ctx, o.dataDir, &conf, log)
		if err != nil {
			return err
		}
		defer role.stop()
		nats = role.inProcess()
		go func() {
			<-role.ended
			stop()
		}()
	}
	a, closeConn, err := o.newAgent(ctx, conf, nats, parent, log)
	if err != nil {
		return err
	}
	defer closeConn()
	go becomeIdle(ctx, log)
	err = a.Run(ctx, func() bool { return !stopped(parent) || parent.Keep })
	if errors.Is(err, agent.ErrRestart) {
		return nil
	}
	return err
}

// followSignals does what the launcher passes on: at SIGHUP the agent ends to be started
// anew, with agent.conf read again; at SIGUSR1 it prints what it is doing.
func followSignals(ctx context.Context, parent *pipe.Parent, stop func(), log *slog.Logger) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			log.Info("signalled", "signal", s.String())
			switch s {
			case syscall.SIGHUP:
				if err := parent.Restart(); err != nil {
					log.Error("asking for a restart", "err", err)
				}
				stop()
			case syscall.SIGUSR1:
				_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, allStacks)
			}
		}
	}
}

// allStacks has each goroutine printed as a crash would.
const allStacks = 2

// stopped says whether the launcher asked this process to end. Else it ends for another
// reason, and its workloads wait for the next one.
func stopped(p *pipe.Parent) bool {
	select {
	case <-p.Stopped:
		return true
	default:
		return false
	}
}

func (o *options) newAgent(ctx context.Context, conf agent.Conf, nats bus.InProcess, parent *pipe.Parent, log *slog.Logger) (*agent.Agent, func(), error) {
	own, err := ownVersion()
	if err != nil {
		return nil, nil, err
	}
	creds, err := bus.LoadCredentials(conf.CredentialsFile())
	if err != nil {
		return nil, nil, err
	}
	id, err := creds.Identity()
	if err != nil {
		return nil, nil, err
	}
	restarts, _ := strconv.Atoi(os.Getenv("JUJUBE_RESTARTS"))
	b := &agentBus{tag: conf.Tag, ready: make(chan struct{}), denied: host.NewPoke(), instance: newID()}
	ctx, end := context.WithCancel(ctx) // a process that restarts ends what it began, too
	var wg sync.WaitGroup
	wg.Go(func() { b.connect(ctx, conf, nats, log) })
	wg.Go(func() { b.keepCredentials(ctx, conf, nats, log) })
	cfg := agent.Config{
		Conf: conf, Identity: id, Bus: b, Parent: parent, Committed: parent.Committed, Own: own, Steps: steps.Registry,
		StateServer: statesrv.IsStateServer(o.dataDir), PID: os.Getpid(), Restarts: restarts,
		Now: time.Now, NewID: newID, Logger: log,
	}
	misconfigure(&cfg)
	a, err := agent.New(cfg)
	return a, func() { end(); wg.Wait(); b.close() }, err
}

func connectAgent(ctx context.Context, conf agent.Conf, nats bus.InProcess, log *slog.Logger, denied func()) (*bus.Conn, error) {
	return bus.Connect(ctx, bus.ConnConfig{
		URLs: conf.APIAddresses, Authorities: conf.AuthoritiesFile(), Server: nats, CredentialsFile: conf.CredentialsFile(), Name: conf.Tag,
		Logger: log, OnDenied: denied,
	})
}

// agentBus is the bus as the agent wants it. Until the first connection stands, every
// call waits or fails; the agent runs its workloads meanwhile.
type agentBus struct {
	tag   string
	conn  *bus.Conn
	ready chan struct{} // closed when conn is set

	denied   host.Poke // the server refuses the credentials
	instance string    // of this process
	beats    int
	echo     string // what the state server wants to hear in the next greeting
}

var errAway = errors.New("not connected yet")

func (b *agentBus) connect(ctx context.Context, conf agent.Conf, nats bus.InProcess, log *slog.Logger) {
	for ctx.Err() == nil {
		conn, err := connectAgent(ctx, conf, nats, log, b.onDenied)
		if err == nil {
			b.conn = conn
			close(b.ready)
			return
		}
		log.Warn("connecting", "err", err)
		if errors.Is(err, bus.ErrDenied) {
			b.onDenied()
		}
		select {
		case <-time.After(reconnectPause):
		case <-ctx.Done():
		}
	}
}

const reconnectPause = 2 * time.Second

func (b *agentBus) close() {
	if b.Connected() {
		b.conn.Close()
	}
}

func (b *agentBus) Connected() bool {
	select {
	case <-b.ready:
		return b.conn.Connected()
	default:
		return false
	}
}

func (b *agentBus) Orders(ctx context.Context, f func(events.Record)) error {
	select {
	case <-b.ready:
		return b.conn.Orders(ctx, b.tag, f)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reportTimeout is how long a state server may take to put a report on disk.
const reportTimeout = 10 * time.Second

func (b *agentBus) Report(ctx context.Context, rec events.Record) (agent.Answer, error) {
	if !b.Connected() {
		return agent.Later, errAway
	}
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	a, err := b.conn.Report(ctx, b.tag, rec)
	switch {
	case errors.Is(err, bus.ErrTooLarge):
		return agent.Refused, err
	case err != nil:
		return agent.Later, err
	case a.Code == "" || a.Code == wire.ReportDuplicate:
		return agent.Stored, nil
	case a.Code == wire.ReportInvalid:
		return agent.Refused, errors.New(a.Text)
	}
	return agent.Later, fmt.Errorf("%s: %s", a.Code, a.Text)
}

// greetEvery is how many heartbeats come to one that is answered: by it a state server
// finds out whether somebody else has this machine's key.
const (
	greetEvery   = 6
	greetTimeout = 2 * time.Second
)

func (b *agentBus) Beat(v version.Number, log tree.Head) error {
	if !b.Connected() {
		return errAway
	}
	beat := wire.Beat{Version: v.String(), PID: os.Getpid(), Log: log, Instance: b.instance}
	if b.beats++; b.beats%greetEvery != 1 {
		return b.conn.Beat(b.tag, beat)
	}
	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), greetTimeout)
		beat.Echo = b.echo
		e, err := b.conn.Greet(ctx, b.tag, beat)
		cancel()
		if err != nil {
			b.beats = 0 // the next one tries again
			return err
		}
		b.echo = e.Nonce
		if !e.Again {
			break
		}
	}
	return nil
}

func (b *agentBus) Fetch(ctx context.Context, sha256 string, offset int64, w io.Writer) (int64, error) {
	if !b.Connected() {
		return 0, errAway
	}
	n, err := b.conn.Tools().Fetch(ctx, sha256, offset, w)
	if errors.Is(err, bus.ErrDigest) { // the object ends before it says it does
		err = fmt.Errorf("%w: %w", install.ErrSize, err)
	}
	return n, err
}
