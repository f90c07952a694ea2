// Package yardstick does with plain NATS what the benchmarks compare with: the same
// server, the same durability, and nothing of ours. Nothing in the product uses it.
package yardstick

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// NATS is a server without accounts, whose every publish is on disk before it is
// acknowledged, as the log's.
type NATS struct {
	server *server.Server
}

const startTimeout = 20 * time.Second

// Start starts one with its store in dir.
func Start(dir string) (*NATS, error) {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: dir, SyncAlways: true, DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, fmt.Errorf("start the yardstick: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(startTimeout) {
		s.Shutdown()
		return nil, errors.New("start the yardstick: it takes no connections")
	}
	return &NATS{s}, nil
}

// Close stops it.
func (n *NATS) Close() {
	n.server.Shutdown()
	n.server.WaitForShutdown()
}

// PublishEach lets senders publish payload, each waiting for its acknowledgement before
// the next, for d, and returns how many were stored.
func (n *NATS) PublishEach(ctx context.Context, senders int, payload []byte, d time.Duration) (stored int, err error) {
	conns, err := n.connect(senders)
	if err != nil {
		return 0, err
	}
	defer closeAll(conns)
	setUp, err := jetstream.New(conns[0])
	if err != nil {
		return 0, err
	}
	stream := jetstream.StreamConfig{Name: "YARD", Subjects: []string{"yard.*"}, Storage: jetstream.FileStorage}
	if _, err := setUp.CreateOrUpdateStream(ctx, stream); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	counts := make([]int, senders)
	var all sync.WaitGroup
	for i, c := range conns {
		js, err := jetstream.New(c)
		if err != nil {
			return 0, err
		}
		all.Go(func() {
			for ctx.Err() == nil {
				if _, err := js.Publish(ctx, fmt.Sprintf("yard.%d", i), payload); err == nil {
					counts[i]++
				}
			}
		})
	}
	all.Wait()
	for _, c := range counts {
		stored += c
	}
	return stored, nil
}

// FanOut publishes one message to each of n subscribers, each with a connection and a
// subject of its own, and returns how long the last one waited for its message.
func (n *NATS) FanOut(subscribers int, payload []byte, rounds int) ([]time.Duration, error) {
	conns, err := n.connect(subscribers)
	if err != nil {
		return nil, err
	}
	defer closeAll(conns)
	var arrived sync.WaitGroup
	for i, c := range conns {
		if _, err := c.Subscribe(fmt.Sprintf("fan.%d", i), func(*nats.Msg) { arrived.Done() }); err != nil {
			return nil, err
		}
		if err := c.Flush(); err != nil {
			return nil, err
		}
	}
	publisher, err := nats.Connect(n.server.ClientURL())
	if err != nil {
		return nil, err
	}
	defer publisher.Close()
	var took []time.Duration
	for range rounds {
		arrived.Add(subscribers)
		start := time.Now()
		for i := range subscribers {
			if err := publisher.Publish(fmt.Sprintf("fan.%d", i), payload); err != nil {
				return nil, err
			}
		}
		arrived.Wait()
		took = append(took, time.Since(start))
	}
	return took, nil
}

// Connect connects and leaves n times, one after another, and returns how long each took.
func (n *NATS) Connect(times int) (each time.Duration, err error) {
	start := time.Now()
	for range times {
		c, err := nats.Connect(n.server.ClientURL())
		if err != nil {
			return 0, err
		}
		c.Close()
	}
	return time.Since(start) / time.Duration(times), nil
}

func (n *NATS) connect(count int) ([]*nats.Conn, error) {
	conns := make([]*nats.Conn, 0, count)
	for range count {
		c, err := nats.Connect(n.server.ClientURL(), nats.Timeout(startTimeout))
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

func closeAll(conns []*nats.Conn) {
	for _, c := range conns {
		c.Close()
	}
}
