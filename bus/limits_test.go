package bus_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
)

// padded is a JSON object of exactly so many bytes.
func padded(n int) []byte {
	const frame = `{"version":""}`
	return []byte(`{"version":"` + strings.Repeat("1", n-len(frame)) + `"}`)
}

// What a state server listens to, at the limit and one past it.
func TestLimitsOfMessages(t *testing.T) {
	b := bustest.Start(t)
	creds, _ := b.Credentials(func(key string) (string, error) { return b.Accounts.StateServerJWT("state-server-0", key) })
	took, skipped := make(chan int, 10), make(chan error, 10)
	server := b.With(bus.ConnConfig{
		Credentials: creds, OnGarbage: func(_ string, err error) { skipped <- err },
	})
	for _, start := range []func() (func(), error){
		func() (func(), error) { return server.ServeReports(func(r bus.Report) { took <- len(r.Data) }) },
		func() (func(), error) {
			return server.ServeBeats(func(_ string, beat wire.Beat, _ func(wire.Echoed)) { took <- len(beat.Version) })
		},
		func() (func(), error) { return server.ServeEnrol(func(bus.Enrolment) {}) },
		func() (func(), error) { return server.ServeQueries(func(q bus.Query) { took <- len(q.Body) }) },
		func() (func(), error) { return server.ServeUploads(func(bus.Piece) {}) },
	} {
		stop, err := start()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
	}
	agent, _, _ := raw(t, b, agentRole(b, "machine-3"))
	operator, _, _ := raw(t, b, operatorRole(b))
	host, _ := rawWith(t, b, enrolCredentials(t, b))
	for _, c := range []struct {
		subject string
		limit   int
		nc      *nats.Conn
		server  bool // NATS itself takes no more of this role
	}{
		{"beat.machine-3", limits.BeatBytes, agent, false},
		{"query.status", limits.PieceBytes, operator, false},
		{"upload.x", limits.PieceBytes, operator, false},
		{"report.machine-3", limits.ReportBytes, agent, true},
		{"enrol", limits.EnrolBytes, host, true},
	} {
		for _, n := range []int{c.limit, c.limit + 1} {
			err := c.nc.Publish(c.subject, padded(n))
			if n > c.limit && c.server {
				if !errors.Is(err, nats.ErrMaxPayload) {
					t.Errorf("%s, %d bytes of %d: %v", c.subject, n, c.limit, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			select {
			case <-took:
				err = nil
			case err = <-skipped:
			case <-time.After(10 * time.Second):
				t.Fatalf("%s, %d bytes: nothing came", c.subject, n)
			}
			if large := errors.Is(err, bus.ErrTooLarge); large != (n > c.limit) {
				t.Errorf("%s, %d bytes of %d: %v", c.subject, n, c.limit, err)
			}
		}
	}
}

func TestLimitsOfRequests(t *testing.T) {
	b := bustest.Start(t)
	b.KeepRequests()
	alice := b.Operator("alice")
	signed := func(fill int) error {
		ask := askOf("r1")
		ask.SetEnv["a"] = strings.Repeat("x", fill)
		_, err := alice.PublishRequest(t.Context(), alice.Identity(), ask)
		return err
	}
	fill := limits.RequestBytes // down to the largest that is taken; base64 makes steps of a few bytes
	for errors.Is(signed(fill), bus.ErrTooLarge) {
		fill -= 512
	}
	if err := signed(fill); err != nil || fill < limits.RequestBytes/2 {
		t.Errorf("a request with %d bytes of settings: %v", fill, err)
	}
	nc, mallory, _ := raw(t, b, operatorRole(b))
	state, _, _ := raw(t, b, stateServerRole(b))
	subject := "requests." + mallory.Public() + "."
	store := func(nc *nats.Conn, id string, n int) bool {
		m, err := nc.Request(subject+id, bytes.Repeat([]byte("x"), n), time.Second)
		if errors.Is(err, nats.ErrTimeout) {
			return false
		}
		var ack struct{ Error any }
		if err == nil {
			err = json.Unmarshal(m.Data, &ack)
		}
		if err != nil {
			t.Fatal(err)
		}
		return ack.Error == nil
	}
	if !store(nc, "at", limits.RequestBytes) || store(nc, "past", limits.RequestBytes+1) {
		t.Errorf("a state server takes no request of %d bytes, or a larger one", limits.RequestBytes)
	}
	if !store(state, "at2", limits.RequestBytes+limits.HeaderBytes) || store(state, "past2", limits.RequestBytes+limits.HeaderBytes+1) {
		t.Errorf("NATS takes no request of %d bytes, or a larger one", limits.RequestBytes+limits.HeaderBytes)
	}
	for n, want := range map[int]bool{limits.PayloadBytes: true, limits.PayloadBytes + 1: false} {
		if err := state.Publish("log.x", make([]byte, n)); (err == nil) != want {
			t.Errorf("a message of %d bytes: %v", n, err)
		}
	}
}

// What each key may send, at the limit and one past it: messages at once, messages over time, and
// bytes of a day.
func TestAllowances(t *testing.T) {
	now := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		budget *bus.Budget
		atOnce int
		every  time.Duration
		aDay   int
	}{
		"reports":    {bus.NewBudget(func() time.Time { return now }, bus.ReportAllowance), limits.ReportsAtOnce, limits.ReportEvery, limits.ReportBytesADay},
		"requests":   {bus.NewBudget(func() time.Time { return now }, bus.RequestAllowance), limits.RequestsAtOnce, limits.RequestEvery, limits.RequestBytesADay},
		"enrolments": {bus.NewBudget(func() time.Time { return now }, bus.EnrolAllowance), limits.EnrolmentsAtOnce, limits.EnrolmentEvery, 0},
	} {
		take := func(key string, size, n int, then error) {
			t.Helper()
			for i := range n {
				if err := c.budget.Take(key, size); err != nil {
					t.Fatalf("%s: message %d of %d: %v", name, i+1, n, err)
				}
			}
			if err := c.budget.Take(key, size); !errors.Is(err, then) {
				t.Fatalf("%s: one more than %d: %v, want %v", name, n, err, then)
			}
		}
		take("a", 0, c.atOnce, bus.ErrTooOften)
		take("b", 0, c.atOnce, bus.ErrTooOften) // another one is heard
		now = now.Add(c.every)
		take("a", 0, 1, bus.ErrTooOften)
		now = now.Add(100 * time.Hour)
		take("a", 0, c.atOnce, bus.ErrTooOften)
		if c.aDay > 0 {
			take("c", c.aDay/16, 16, bus.ErrBudgetSpent)
			now = now.Add(24 * time.Hour / 16)
			take("c", c.aDay/16, 1, bus.ErrBudgetSpent)
			take("d", c.aDay/16, 16, bus.ErrBudgetSpent)
		}
	}
}

// Whoever can make ever new keys does not fill the memory with them.
func TestKeysThatHaveNothingToPayForAreForgotten(t *testing.T) {
	now := time.Unix(1000, 0)
	b := bus.NewBudget(func() time.Time { return now }, bus.EnrolAllowance)
	for i := range 100_000 {
		now = now.Add(limits.EnrolmentEvery / 100)
		_ = b.Take(strconv.Itoa(i), 1)
	}
	if b.Keys() > 1<<13 {
		t.Errorf("it remembers %d of 100,000 keys", b.Keys())
	}
}

// One machine floods; the others' reports are answered as before, and of the flood no more
// than its share is heard.
func TestBI78AFloodThrottlesOnlyWhoFloods(t *testing.T) {
	b := bustest.Start(t)
	heard := make(chan string, 200_000)
	stop, err := b.StateServer().ServeReports(func(r bus.Report) { heard <- r.Machine; r.Answer(wire.ReportAnswer{Seq: 1}) })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	honest, _, _ := raw(t, b, agentRole(b, "machine-4"))
	ask := func() time.Duration {
		began := time.Now()
		m, err := honest.Request("report.machine-4", []byte("x"), 20*time.Second)
		if err != nil || !bytes.Contains(m.Data, []byte(`"seq":1`)) {
			t.Fatalf("BI-78: an honest report during the flood: %v", err)
		}
		return time.Since(began)
	}
	const asked = 45
	slowest := func() (worst time.Duration) {
		for range asked {
			worst = max(worst, ask())
		}
		return worst
	}
	calm := slowest()
	flood, _, _ := raw(t, b, agentRole(b, "machine-3"))
	began, junk := time.Now(), make([]byte, 1<<10)
	stopped, over := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stopped:
				over <- n
				return
			default:
				_ = flood.Publish("report.machine-3", junk)
			}
		}
	}()
	flooded := slowest()
	close(stopped)
	sent, took := <-over, time.Since(began)
	others := 0
	for range len(heard) {
		if <-heard == "machine-3" {
			others++
		}
	}
	if most := limits.ReportsAtOnce + int(took/limits.ReportEvery) + 1; others > most {
		t.Errorf("BI-78: of %d messages in %v %d were heard, at most %d may be", sent, took, others, most)
	}
	if flooded > 5*time.Second {
		t.Errorf("BI-78: an honest report took %v, %v without a flood", flooded, calm)
	}
	t.Logf("%d messages in %v, %d heard; the slowest of %d honest reports took %v, %v before", sent, took, others, asked, flooded, calm)
}

// B13: a machine sends one large report after the other, no faster than it may. In a day 38 GB went
// into the log; now it is what its allowance says, and another machine is heard.
func TestB13OneMachineDoesNotFillTheLog(t *testing.T) {
	b := bustest.Start(t)
	creds, _ := b.Credentials(stateServerRole(b))
	state := b.With(bus.ConnConfig{Credentials: creds, ReportEvery: time.Nanosecond})
	heard := map[string]int{}
	stop, err := state.ServeReports(func(r bus.Report) { heard[r.Machine] += len(r.Data); r.Answer(wire.ReportAnswer{Seq: 1}) })
	if err != nil {
		t.Fatal(err)
	}
	agent, _, _ := raw(t, b, agentRole(b, "machine-3"))
	report := bytes.Repeat([]byte("x"), limits.ReportBytes)
	var last string
	for range limits.ReportBytesADay/limits.ReportBytes + 10 {
		m, err := agent.Request("report.machine-3", report, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		last = string(m.Data)
	}
	honest, _, _ := raw(t, b, agentRole(b, "machine-4"))
	if m, err := honest.Request("report.machine-4", report, 10*time.Second); err != nil || !strings.Contains(string(m.Data), `"seq":1`) {
		t.Errorf("B13: another machine is answered %s, %v", m.Data, err)
	}
	stop()
	if !strings.Contains(last, wire.ReportRetry) || !strings.Contains(last, "budget-spent") {
		t.Errorf("B13: over its allowance it is answered %s", last)
	}
	if n := heard["machine-3"]; n > limits.ReportBytesADay+limits.ReportBytes {
		t.Errorf("B13: %d bytes of one machine are heard", n)
	}
}
