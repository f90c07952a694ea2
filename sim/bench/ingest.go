package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/yardstick"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/statesrv"
)

// ingest measures how many reports a whole state server takes. A report is validated, judged,
// folded and on disk before it is answered.
func ingest(ctx context.Context, dir string, s sizes) ([]figure, error) {
	p, err := startBus(ctx, filepath.Join(dir, "ours"))
	if err != nil {
		return nil, err
	}
	defer p.close()
	log := p.conn.Log()
	agents := make([]*bus.Conn, s.senders)
	for i := range agents {
		if agents[i], err = p.agent(ctx, i); err != nil {
			return nil, err
		}
		defer agents[i].Close()
	}
	if err := fill(ctx, log, append([]events.Record{created()}, enrolled(0, s.senders, func(i int) string { return agents[i].Public() })...)); err != nil {
		return nil, err
	}
	stop, err := p.serve(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer stop()
	raw, err := yardstick.Start(filepath.Join(dir, "yardstick"))
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	payload, err := events.Marshal(signed(agents[0].Identity(), record("machine-0", started(0, 1))))
	if err != nil {
		return nil, err
	}
	var ours, single, bare []float64
	var batches []int
	done := 0
	for range s.rounds {
		from, err := log.Last(ctx)
		if err != nil {
			return nil, err
		}
		n := report(ctx, agents, done, s.window)
		done += 1_000_000 // a report's number must be higher than the one before; gaps are allowed
		ours = append(ours, float64(n)/s.window.Seconds())
		batch, err := batchSize(ctx, log, from+1)
		if err != nil {
			return nil, err
		}
		batches = append(batches, batch)
		stored, err := raw.PublishEach(ctx, s.senders, payload, s.window)
		if err != nil {
			return nil, err
		}
		single = append(single, float64(stored)/s.window.Seconds())
		written, err := appendAndSync(filepath.Join(dir, "bare"), payload, batch, s.window)
		if err != nil {
			return nil, err
		}
		bare = append(bare, float64(written)/s.window.Seconds())
	}
	o, y, b := median(ours), median(single), median(bare)
	return []figure{
		{
			fmt.Sprintf("reports committed, %d agents", s.senders), rate(o), "one durable publish an event: " + rate(y), fmt.Sprintf("%.1f ×", ratio(ours, single)),
			"≥ 4 ×",
		},
		{
			fmt.Sprintf("the same, in batches of %d", median(batches)), rate(o), "append + fsync of the same batches: " + rate(b),
			fmt.Sprintf("%.2f ×", ratio(ours, bare)), "stated",
		},
	}, nil
}

func rate(perSecond float64) string { return fmt.Sprintf("%.0f/s", perSecond) }

// serve runs a state server in this process.
func (p *place) serve(ctx context.Context, dir string) (stop func(), err error) {
	logKey, err := makeLogKey()
	if err != nil {
		return nil, err
	}
	tells, err := p.accounts.SystemCredentials()
	if err != nil {
		return nil, err
	}
	system, err := bus.Connect(ctx, bus.ConnConfig{Server: p.nats, Credentials: tells})
	if err != nil {
		return nil, err
	}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	site, err := statesrv.NewSite()
	if err != nil {
		return nil, err
	}
	first, err := tuf.First(events.Roster{
		Operators: []events.Operator{{Name: "bench", Key: "BENCH", Grants: []events.Grant{{Role: events.RoleAdmin}}}}, StateServers: []string{p.conn.Public()},
	}, nil, key, key, site.Online(), time.Now())
	if err != nil {
		return nil, err
	}
	site.Begin(first.Bundle())
	server, err := statesrv.New(statesrv.Config{
		Dir: dir, Name: "state-server-0", Environment: environment, Bus: p.conn, System: system, Accounts: p.accounts, LogKey: logKey, Site: site,
		URLs: []string{p.nats.URL()},
		Now:  time.Now, NewID: newID, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	select {
	case <-server.Ready():
	case err := <-ended:
		cancel()
		return nil, errors.Join(errors.New("the state server ended"), err)
	}
	return func() { cancel(); <-ended; system.Close() }, nil
}

func makeLogKey() (*tree.Signer, error) {
	private, _, err := tree.NewKey(rand.Reader, environment)
	if err != nil {
		return nil, err
	}
	return tree.NewSigner(environment, private)
}

// report lets all agents send reports for the time d. Each agent sends its next report when the
// one before is answered, numbered from base+1 on.
func report(ctx context.Context, agents []*bus.Conn, base int, d time.Duration) (stored int) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	counts := make([]int, len(agents))
	var all sync.WaitGroup
	for i, c := range agents {
		all.Go(func() {
			tag := events.MachineTag(fmt.Sprint(i))
			for n := base + 1; ctx.Err() == nil; n++ {
				if a, err := c.Report(ctx, tag, signed(c.Identity(), record(tag, started(i, n)))); err == nil && a.Code == "" {
					counts[i]++
				}
			}
		})
	}
	all.Wait()
	for _, c := range counts {
		stored += c
	}
	return stored
}

// batchSize is how many records a commit had on average. All records of one commit have the same
// time, which tells commits apart.
func batchSize(ctx context.Context, log events.Log, from uint64) (int, error) {
	last, err := log.Last(ctx)
	if err != nil {
		return 0, err
	}
	commits := map[time.Time]bool{}
	n := 0
	for rec, err := range log.Read(ctx, from, last) {
		if err != nil {
			return 0, err
		}
		commits[rec.Time] = true
		n++
	}
	return max(n/max(len(commits), 1), 1), nil
}

// appendAndSync is the yardstick of ingest: for the time d it appends batches of payloads to a
// file and syncs the file after each batch.
func appendAndSync(name string, payload []byte, batch int, d time.Duration) (written int, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(name)) }()
	var block []byte
	for range batch {
		block = append(block, payload...)
	}
	for start := time.Now(); time.Since(start) < d; written += batch {
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return written, nil
}
