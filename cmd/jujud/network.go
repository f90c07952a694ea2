package main

import (
	"cmp"
	"context"
	"log/slog"
	"os"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/connection"
	"github.com/jujube-project/jujube/agent/network"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/statesrv"
)

// half says whether this process gives its connections to a network half, and the configuration
// of that. A state server does not: NATS runs in its process, and its unit is not root.
func (o *options) half(conf agent.Conf, log *slog.Logger) (c network.Config, gives bool) {
	c = network.Config{
		Conf: conf, PID: os.Getpid(), User: cmp.Or(conf.Values.NetworkUser, network.User), Debug: o.debug, Logger: log,
	}
	if statesrv.IsStateServer(o.dataDir) {
		return c, false
	}
	why, ok := network.Available(c.User)
	if !ok && os.Geteuid() == 0 {
		log.Warn("what reads from the network runs as root: there is no user for it; docs/tasks/machines.md says how to make one", "err", why)
	}
	return c, ok
}

// busOf is the agent's bus, and what runs it until its context ends.
func (o *options) busOf(conf agent.Conf, nats bus.InProcess, log *slog.Logger) (agent.Bus, func(context.Context), error) {
	c, gives := o.half(conf, log)
	if !gives {
		direct := connection.New(connection.Config{Conf: conf, NATS: nats, PID: os.Getpid(), NewID: newID, Logger: log})
		return direct, direct.Run, nil
	}
	var err error
	if c.Keys, err = connection.OpenFiles(conf, newID); err != nil {
		return nil, nil, err
	}
	h := network.New(c)
	return h, h.Run, nil
}

// reach connects to the bus with the machine's credentials and disconnects. It returns why it
// could not.
func (o *options) reach(ctx context.Context, conf agent.Conf) error {
	log := o.logger()
	c, gives := o.half(conf, log)
	if !gives {
		return connection.Reach(ctx, connection.Config{Conf: conf, NewID: newID, Logger: log})
	}
	var err error
	if c.Keys, err = connection.OpenFiles(conf, newID); err != nil {
		return err
	}
	return network.Reach(ctx, c)
}

// renew gets the machine new credentials, and says until when they are good.
func (o *options) renew(ctx context.Context, conf agent.Conf) (life bus.Life, err error) {
	log := o.logger()
	c, gives := o.half(conf, log)
	if !gives {
		return connection.Renew(ctx, connection.Config{Conf: conf, NewID: newID, Logger: log})
	}
	if c.Keys, err = connection.OpenFiles(conf, newID); err != nil {
		return life, err
	}
	if err := network.Renew(ctx, c); err != nil {
		return life, err
	}
	return c.Keys.Life()
}

// show shows a join token to a state server. The host has no configuration yet.
func (o *options) show(ctx context.Context, s connection.Showing) (wire.Enrolled, error) {
	if c, gives := o.half(agent.Conf{}, s.Logger); gives {
		return network.Show(ctx, c, s)
	}
	return connection.Show(ctx, s)
}
