package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// hello is how a workload of the demo announces itself.
type hello struct {
	Unit string `json:"unit"`
	URL  string `json:"url"`
	PID  int    `json:"pid"`
}

// WorkloadCommand is `juju demo-workload`, the service that the demo deploys.
func WorkloadCommand(a *app.App) *cobra.Command {
	var listen, announce string
	cmd := &cobra.Command{
		Use: "demo-workload", Short: "Serve HTTP, for the demo", Hidden: true, Args: cobra.NoArgs,
		Long:    "Serve HTTP, and say at the start at which address. The demo deploys it as its workload.",
		Example: "  juju demo-workload --listen 127.0.0.1:0",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), a, listen, announce)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "HOST:PORT; port 0 chooses a free one")
	cmd.Flags().StringVar(&announce, "announce", "", "URL that is told the address")
	return cmd
}

// serve is the workload: it answers every request with who it is.
func serve(ctx context.Context, a *app.App, listen, announce string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	me := hello{Unit: a.Getenv("JUJU_UNIT_NAME"), URL: "http://" + l.Addr().String() + "/", PID: os.Getpid()}
	body, err := json.Marshal(me)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, "%s\n", body)
	server := &http.Server{
		ReadHeaderTimeout: trafficTimeout,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(body)
		}),
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if announce != "" {
		go tellAddress(announce, body)
	}
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// tellAddress announces a workload. It ignores errors: the demo may have ended already.
func tellAddress(url string, body []byte) {
	client := http.Client{Timeout: trafficTimeout}
	if resp, err := client.Post(url, "application/json", strings.NewReader(string(body))); err == nil {
		_ = resp.Body.Close()
	}
}

// How often, and for how long, the demo asks its workloads.
const (
	trafficEvery   = 20 * time.Millisecond
	trafficTimeout = 2 * time.Second
)

// traffic sends requests to every workload that announces itself, all the time, and counts the
// answers.
type traffic struct {
	server *http.Server
	url    string
	ctx    context.Context
	stop   context.CancelFunc
	askers sync.WaitGroup

	mu     sync.Mutex
	asked  map[string]*asked
	change chan struct{} // closed and replaced when a workload announces itself
}

// asked is one workload, and how it answered so far.
type asked struct {
	hello
	starts   int
	requests int
	failures int
	first    error
	slowest  time.Duration
}

func newTraffic() (*traffic, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the workloads: %w", err)
	}
	t := &traffic{url: "http://" + l.Addr().String() + "/", asked: map[string]*asked{}, change: make(chan struct{})}
	t.ctx, t.stop = context.WithCancel(context.Background())
	t.server = &http.Server{Handler: http.HandlerFunc(t.announced), ReadHeaderTimeout: trafficTimeout}
	go func() { _ = t.server.Serve(l) }()
	return t, nil
}

// announced receives the address of a workload and begins to ask it. A workload that announced
// itself before has started again, which is counted.
func (t *traffic) announced(w http.ResponseWriter, r *http.Request) {
	var h hello
	if err := json.NewDecoder(io.LimitReader(r.Body, 4096)).Decode(&h); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.asked[h.Unit]
	if a == nil {
		a = &asked{}
		t.asked[h.Unit] = a
		t.askers.Go(func() { t.keepAsking(a) })
	}
	a.hello = h
	a.starts++
	close(t.change)
	t.change = make(chan struct{})
}

// wait returns when the unit has announced itself.
func (t *traffic) wait(ctx context.Context, unit string) error {
	for {
		t.mu.Lock()
		known, change := t.asked[unit] != nil, t.change
		t.mu.Unlock()
		if known {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return fmt.Errorf("wait for the workload of %s: %w", unit, ctx.Err())
		}
	}
}

func (t *traffic) keepAsking(a *asked) {
	ticker := time.NewTicker(trafficEvery)
	defer ticker.Stop()
	client := http.Client{Timeout: trafficTimeout}
	for {
		select {
		case <-t.ctx.Done():
			return
		case <-ticker.C:
			t.mu.Lock()
			h := a.hello
			t.mu.Unlock()
			start := time.Now()
			err := get(t.ctx, &client, h)
			if t.ctx.Err() != nil {
				return
			}
			t.count(a, time.Since(start), err)
		}
	}
}

func (t *traffic) count(a *asked, took time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.requests++
	a.slowest = max(a.slowest, took)
	if err != nil {
		a.failures++
		if a.first == nil {
			a.first = err
		}
	}
}

// get makes one request and checks that the same process answers.
func get(ctx context.Context, client *http.Client, want hello) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, want.URL, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var got hello
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		return fmt.Errorf("%s: %w", resp.Status, err)
	}
	if resp.StatusCode != http.StatusOK || got != want {
		return fmt.Errorf("%s: %v answers, not %v", resp.Status, got, want)
	}
	return nil
}

// close ends the asking. results gives what was counted until then.
func (t *traffic) close() {
	t.stop()
	_ = t.server.Close()
	t.askers.Wait()
}

// results are the workloads, by unit.
func (t *traffic) results() []asked {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []asked
	for _, a := range t.asked {
		all = append(all, *a)
	}
	slices.SortFunc(all, func(a, b asked) int { return strings.Compare(a.Unit, b.Unit) })
	return all
}
