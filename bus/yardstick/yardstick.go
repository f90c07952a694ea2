// Package yardstick measures plain NATS, for the benchmarks to compare with: the same server
// with the same durability, and no code of this project. Nothing in the product uses it.
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

// NATS is a server without accounts. As in an environment, every message is on disk before it
// is acknowledged.
type NATS struct {
	server *server.Server
}

// startTimeout bounds the start of the server, and each connection to it.
const startTimeout = 20 * time.Second

// Start starts a server that keeps its files in dir.
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

// Close stops the server.
func (n *NATS) Close() {
	n.server.Shutdown()
	n.server.WaitForShutdown()
}

// PublishEach makes a number of senders publish payload, again and again, for d. Each waits for
// an acknowledgement before it publishes the next message. It returns how many were stored.
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

// FanOut publishes one message to each subscriber, in every round. Each subscriber has a
// connection and a subject of its own. It returns for each round how long the last subscriber
// waited.
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

// Connect connects and disconnects, one time after another, and returns how long each took.
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
