package main

import (
	"context"
	"errors"
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
	"github.com/jujube-project/jujube/agent/pipe"
	"github.com/jujube-project/jujube/agent/steps"
	"github.com/jujube-project/jujube/bus"
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

// agent runs the state server, if this machine is one, and the machine's agent.
//
// The order of the start: the lock is taken before anything of the data directory is written,
// so that two agents never run on it. The state server starts before the agent, which talks to
// it. They end in the other order, so that the agent can send its last reports. If either the
// launcher or the state server ends, so does the agent.
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

// followSignals handles the signals that the launcher passes on. At SIGHUP the agent asks to be
// started again and ends; the next one reads agent.conf anew. At SIGUSR1 it prints the stacks of
// all goroutines.
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

// allStacks is the debug level of pprof that prints every goroutine as a crash does.
const allStacks = 2

// stopped says whether the launcher asked this process to end, or is gone. If the process ends
// for another reason, its workloads run on, and the next agent adopts them.
func stopped(p *pipe.Parent) bool {
	select {
	case <-p.Stopped:
		return true
	default:
		return false
	}
}

// newAgent makes the agent and starts its connection, which it does not wait for. disconnect ends
// the connection and returns when it has ended.
func (o *options) newAgent(
	ctx context.Context, conf agent.Conf, nats bus.InProcess, parent *pipe.Parent, log *slog.Logger,
) (a *agent.Agent, disconnect func(), err error) {
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
	c, connect, err := o.busOf(conf, nats, log)
	if err != nil {
		return nil, nil, err
	}
	ctx, end := context.WithCancel(ctx) // the connection ends with the agent, also when ctx goes on
	var connected sync.WaitGroup
	connected.Go(func() { connect(ctx) })
	cfg := agent.Config{
		Conf: conf, Identity: id, Secrets: id, Bus: c, Parent: parent, Committed: parent.Committed, Own: own, Steps: steps.Registry,
		StateServer: statesrv.IsStateServer(o.dataDir), PID: os.Getpid(), Restarts: restarts,
		Now: time.Now, NewID: newID, Logger: log,
	}
	misconfigure(&cfg)
	a, err = agent.New(cfg)
	return a, func() { end(); connected.Wait() }, err
}
