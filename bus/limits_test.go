package bus_test

import (
	"bytes"
	"encoding/json"
	"errors"
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
	subject := "requests." + mallory.Public() + "."
	for n, want := range map[int]bool{limits.RequestBytes + limits.HeaderBytes: true, limits.RequestBytes + limits.HeaderBytes + 1: false} {
		m, err := nc.Request(subject+map[bool]string{true: "at", false: "past"}[want], bytes.Repeat([]byte("x"), n), 5*time.Second)
		var ack struct{ Error any }
		if err == nil {
			err = json.Unmarshal(m.Data, &ack)
		}
		if err != nil || (ack.Error == nil) != want {
			t.Errorf("a request of %d bytes: %v, %v", n, err, ack.Error)
		}
	}
	state, _, _ := raw(t, b, stateServerRole(b))
	for n, want := range map[int]bool{limits.PayloadBytes: true, limits.PayloadBytes + 1: false} {
		if err := state.Publish("log.x", make([]byte, n)); (err == nil) != want {
			t.Errorf("a message of %d bytes: %v", n, err)
		}
	}
}

func TestLimitOfHowOftenAMachineIsHeard(t *testing.T) {
	now := time.Unix(1000, 0)
	r := bus.NewRates(func() time.Time { return now }, limits.ReportEvery)
	for i := range limits.ReportsAtOnce {
		if !r.Allow("machine-3") {
			t.Fatalf("message %d of %d is not heard", i+1, limits.ReportsAtOnce)
		}
	}
	if r.Allow("machine-3") {
		t.Fatal("one more than the limit is heard")
	}
	if !r.Allow("machine-4") {
		t.Fatal("another machine is not heard")
	}
	now = now.Add(limits.ReportEvery)
	if !r.Allow("machine-3") || r.Allow("machine-3") {
		t.Fatal("after a while not just one more is heard")
	}
	now = now.Add(time.Hour)
	for range limits.ReportsAtOnce {
		if !r.Allow("machine-3") {
			t.Fatal("a machine that was quiet is not heard")
		}
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
