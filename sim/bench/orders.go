package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/yardstick"
	"github.com/jujube-project/jujube/events"
)

// orders measures how long the last of many connected agents waits for its order, counted from
// the moment when the writer begins to append, and counted from the commit.
func orders(ctx context.Context, dir string, s sizes) ([]figure, error) {
	raw, err := yardstick.Start(filepath.Join(dir, "yardstick"))
	if err != nil {
		return nil, err
	}
	sample, err := events.Marshal(record("state-server-0", order(1)))
	if err != nil {
		return nil, err
	}
	bare, err := raw.FanOut(s.agents, sample, s.rounds)
	raw.Close()
	if err != nil {
		return nil, err
	}
	whole, delivery, err := orderFleet(ctx, dir, s)
	if err != nil {
		return nil, err
	}
	b, w, d := median(bare), median(whole), median(delivery)
	target := fmt.Sprintf("a bare publish to %d subscribers: %s", s.agents, ms(b))
	return []figure{
		{fmt.Sprintf("orders on disk → the last of %d agents has its own", s.agents), ms(d), target, fmt.Sprintf("%.1f ×", d.Seconds()/b.Seconds()), "≤ 2 ×"},
		{"the same, with the commit of all orders (fsync)", ms(w), target, fmt.Sprintf("%.1f ×", w.Seconds()/b.Seconds()), "stated"},
	}, nil
}

func order(machine int) *events.RestartOrdered {
	return &events.RestartOrdered{Order: newID(), Machine: fmt.Sprint(machine)}
}

func orderFleet(ctx context.Context, dir string, s sizes) (whole, delivery []time.Duration, err error) {
	p, err := startBus(ctx, filepath.Join(dir, "ours"))
	if err != nil {
		return nil, nil, err
	}
	defer p.close()
	ctx, cancel := context.WithCancel(ctx)
	var running, arrived sync.WaitGroup
	defer running.Wait()
	defer cancel()
	log := p.conn.Log()
	// Each agent gets a first order. When it has arrived, the agent's subscription stands.
	arrived.Add(s.agents)
	for i := range s.agents {
		c, err := p.agent(ctx, i)
		if err != nil {
			return nil, nil, err
		}
		running.Go(func() { listen(ctx, c, i, arrived.Done) })
	}
	recs := func() []events.Record {
		all := make([]events.Record, s.agents)
		for i := range all {
			all[i] = record("state-server-0", order(i))
		}
		return all
	}
	if err := fill(ctx, log, append([]events.Record{created()}, recs()...)); err != nil {
		return nil, nil, err
	}
	arrived.Wait()
	for range s.rounds {
		batch := recs()
		arrived.Add(s.agents)
		start := time.Now()
		if err := fill(ctx, log, batch); err != nil {
			return nil, nil, err
		}
		committed := time.Now()
		arrived.Wait()
		whole = append(whole, time.Since(start))
		delivery = append(delivery, time.Since(committed))
	}
	return whole, delivery, nil
}

func listen(ctx context.Context, c *bus.Conn, machine int, got func()) {
	defer c.Close()
	_ = c.Orders(ctx, events.MachineTag(fmt.Sprint(machine)), func(events.Record) { got() })
}
