package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/sim/hosts"
)

// agentVersions are the versions between which a machine is upgraded back and forth.
var agentVersions = []string{"1.25.1", "1.25.2"}

// healthWindow is the setting that says how long a new version must stay healthy.
const healthWindow = 500 * time.Millisecond

// agents measures upgrades of a real machine with two units, of which one serves HTTP
// under constant load.
func agents(ctx context.Context, dir string, s sizes) (figures []figure, err error) {
	e, err := hosts.Build(ctx, dir, "bench", agentVersions...)
	if err != nil {
		return nil, err
	}
	first := e.Jujud(agentVersions[0])
	if err := e.Each(ctx, "bootstrap bench --tools-source none --jujud "+first); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Each(context.WithoutCancel(ctx), "destroy-environment bench --yes")) }()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr := filepath.Join(dir, "addr")
	err = e.Each(ctx, "set-env upgrade-health-window="+healthWindow.String(), "add-machine --local --jujud "+first,
		"deploy web --to 1 --user "+hosts.Me()+" -- "+self+" workload "+addr, "deploy idle --to 1 -- tail -f /dev/null")
	if err == nil {
		err = e.Publish(ctx, agentVersions...)
	}
	if err != nil {
		return nil, err
	}
	before, err := memoryWithUnits(ctx, e.DataDir("1"))
	if err != nil {
		return nil, err
	}
	load, err := startLoad(ctx, addr)
	if err != nil {
		return nil, err
	}
	for i := range s.rounds {
		if err := e.Each(ctx, "upgrade-juju --wait --rollback --version "+agentVersions[(i+1)%2]); err != nil {
			return nil, err
		}
	}
	served := load.stop()
	after, err := memoryWithUnits(ctx, e.DataDir("1"))
	if err != nil {
		return nil, err
	}
	t, err := upgradeTimes(ctx, e, "1")
	if err != nil || len(t.gaps) == 0 || len(t.commits) == 0 {
		return nil, errors.Join(err, fmt.Errorf("%d gaps and %d commits of %d upgrades in the log", len(t.gaps), len(t.commits), s.rounds))
	}
	return []figure{
		{"an upgrade: last report of the old agent → first of the new", ms(median(t.gaps)), "", "", "stated"},
		{"an upgrade: order issued → kept, without the health window", ms(median(t.commits)), "", "", "< 1 s"},
		{"of it: until it is downloaded, verified, staged and tested", ms(median(t.staged)), "", "", ""},
		{"of it: until the new agent is started, and has reported", ms(median(t.started)), "", "", ""},
		{"of it: until it is kept, and that is reported", ms(median(t.kept)), "", "", ""},
		{
			fmt.Sprintf("an HTTP workload during %d upgrades: failed requests", s.rounds), fmt.Sprintf("%d of %d", served.failed, served.all),
			"longest answer: " + ms(served.longest), "", "0",
		},
		{"launcher and agent with two units: memory, installed copy", before, "", "", "< 30 MiB"},
		{"the same after an upgrade, two versions on disk", after, "", "", "< 30 MiB"},
	}, nil
}

// memoryWithUnits is the memory of a machine's processes while its units run.
func memoryWithUnits(ctx context.Context, dataDir string) (string, error) {
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return "", ctx.Err()
	}
	u, err := memoryOf(dataDir)
	return fmt.Sprintf("%s; resident, shared pages counted twice: %.1f MiB", u, float64(u.rss)/(1<<20)), err
}

// times has one entry for each upgrade of a machine: how long the machine had no agent (gaps), how
// long the upgrade took without the health window (commits), and the parts of that.
type times struct{ gaps, commits, staged, started, kept []time.Duration }

// upgradeTimes reads the times of a machine's upgrades from the log.
func upgradeTimes(ctx context.Context, e *hosts.Environment, machine string) (times, error) {
	var t times
	var issued, last, began time.Time // when the order was issued, the last report came, the present part began
	part := func(of *[]time.Duration, now time.Time, less time.Duration) {
		*of = append(*of, now.Sub(began)-less)
		began = now
	}
	err := e.Log(ctx, func(rec events.Record, payload events.Payload) {
		if o, ok := payload.(*events.OrderIssued); ok && o.Machine == machine {
			issued, began = rec.Time, rec.Time
		}
		r, ok := payload.(events.Report)
		if !ok || r.Head().Machine != machine {
			return
		}
		if !issued.IsZero() {
			switch r.(type) {
			case *events.AgentStaged:
				part(&t.staged, rec.Time, 0)
			case *events.AgentStarted:
				t.gaps = append(t.gaps, rec.Time.Sub(last))
				part(&t.started, rec.Time, 0)
			case *events.AgentUpgraded:
				part(&t.kept, rec.Time, healthWindow)
				t.commits = append(t.commits, rec.Time.Sub(issued)-healthWindow)
				issued = time.Time{}
			}
		}
		last = rec.Time
	})
	return t, err
}

// workload serves HTTP and writes its address to a file.
func workload(file string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", []byte(l.Addr().String()), 0o600); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "well\n")
	}))
}

// load is clients that send requests to a workload all the time.
type load struct {
	cancel  context.CancelFunc
	clients sync.WaitGroup
	mu      sync.Mutex
	served  served
}

type served struct {
	all, failed int
	longest     time.Duration
}

// loadPause is the time between two requests of one client. All loadClients together send about
// 400 requests a second.
const (
	loadPause   = 5 * time.Millisecond
	loadClients = 2
)

func startLoad(ctx context.Context, file string) (*load, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	l := &load{cancel: cancel}
	for i := range loadClients {
		// Half of them keep their connection, half of them make a new one each time.
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: i%2 == 1}}
		l.clients.Go(func() { l.ask(ctx, client, "http://"+strings.TrimSpace(string(b))) })
	}
	return l, nil
}

func (l *load) ask(ctx context.Context, client *http.Client, url string) {
	next := time.NewTicker(loadPause)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		began := time.Now()
		resp, err := client.Get(url)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			err = errors.Join(err, resp.Body.Close())
		}
		l.mu.Lock()
		if l.served.all++; err != nil || resp.StatusCode != http.StatusOK {
			l.served.failed++
		}
		l.served.longest = max(l.served.longest, time.Since(began))
		l.mu.Unlock()
	}
}

func (l *load) stop() served {
	l.cancel()
	l.clients.Wait()
	return l.served
}
