package bus_test

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// What a hostile holder of genuine credentials can put into what others read.

func askOf(id string) events.Ask {
	return events.Ask{
		ID: id, Environment: bustest.Environment, Action: events.ActionSetEnv, Created: time.Unix(1, 0), Expires: time.Unix(2, 0),
		SetEnv: map[string]string{"a": id},
	}
}

// readRequests reads n requests as a state server does.
func readRequests(t *testing.T, server *bus.Conn, n int) []bus.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got []bus.Request
	_ = server.Requests(ctx, 1, func(r bus.Request) {
		if got = append(got, r); len(got) == n {
			cancel()
		}
	})
	if len(got) != n {
		t.Fatalf("read %d requests, want %d", len(got), n)
	}
	return got
}

// An operator's own request carries headers that look like NATS's: neither its place nor
// its sender is what they say, and those behind it are read.
func TestBI80ForgedHeadersOfRequestsAreIgnored(t *testing.T) {
	b := bustest.Start(t)
	b.KeepRequests()
	nc, mallory, _ := raw(t, b, operatorRole(b))
	for i, h := range []nats.Header{
		{"Nats-Sequence": {"99999"}, "Nats-Subject": {"requests.UVICTIM.x"}, "Nats-Stream": {"LOG"}, "Nats-Num-Pending": {"0"}},
		{"Status": {"204"}},
		{"Status": {"503"}},
		{"Status": {"404"}, "Description": {"Message Not Found"}},
		{"Nats-Request-Info": {`{"acc":"CONTROL","user":"state-server-0"}`}},
	} {
		m := nats.NewMsg("requests." + mallory.Public() + ".r" + strconv.Itoa(i))
		m.Header = h
		if _, err := nc.RequestMsg(m, 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	alice := b.Operator("alice")
	if _, err := alice.PublishRequest(t.Context(), alice.Identity(), askOf("after")); err != nil {
		t.Fatal(err)
	}
	got := readRequests(t, b.StateServer(), 6)
	for i, r := range got[:5] {
		if r.Key != mallory.Public() || r.ID != "r"+strconv.Itoa(i) || r.Seq != uint64(i+1) {
			t.Errorf("request %d is read as %d of %s: %s", i, r.Seq, r.Key, r.ID)
		}
	}
	if got[5].Key != alice.Public() || got[5].ID != "after" || got[5].Seq != 6 {
		t.Errorf("the honest request is read as %+v", got[5])
	}
}

func TestBI80ForgedHeadersOfReportsAreIgnored(t *testing.T) {
	b := bustest.Start(t)
	heard := make(chan bus.Report, 1)
	stop, err := b.StateServer().ServeReports(func(r bus.Report) { heard <- r; r.Answer(wire.ReportAnswer{Seq: 7}) })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	nc, _, _ := raw(t, b, agentRole(b, "machine-3"))
	m := nats.NewMsg("report.machine-3")
	m.Header = nats.Header{"Nats-Subject": {"report.machine-4"}, "Nats-Request-Info": {`{"user":"machine-4"}`}, "Nats-Msg-Id": {"x"}}
	if _, err := nc.RequestMsg(m, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if r := <-heard; r.Machine != "machine-3" {
		t.Fatalf("machine-3's report is taken for %s's", r.Machine)
	}
	m.Header = nats.Header{"Nats-Trace-Dest": {"log.environment"}, "traceparent": {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}
	if err := errors.Join(nc.PublishMsg(m), nc.Flush()); err != nil {
		t.Fatal(err)
	}
	if last, err := b.StateServer().Log().Last(t.Context()); err != nil || last != 0 {
		t.Fatalf("the log ends at %d, %v", last, err)
	}
}

// The id by which NATS drops duplicates is known before: somebody else's message under
// the same id must not make a request vanish.
func TestBI76MessageIDsPoisonNothing(t *testing.T) {
	b := bustest.Start(t)
	b.KeepRequests()
	alice := b.Operator("alice")
	nc, mallory, _ := raw(t, b, operatorRole(b))
	for _, id := range []string{"r1", "requests." + alice.Public() + ".r1", alice.Public() + ".r1"} {
		m := nats.NewMsg("requests." + mallory.Public() + "." + strconv.Itoa(len(id)))
		m.Header.Set(nats.MsgIdHdr, id)
		if _, err := nc.RequestMsg(m, 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if seq, err := alice.PublishRequest(t.Context(), alice.Identity(), askOf("r1")); err != nil || seq != 4 {
		t.Fatalf("the poisoned request: %d, %v; want it stored as the fourth", seq, err)
	}
}

// Headers that would rewrite, move, hide or expire messages do nothing: those of an operator's
// request stay with the state server that stores it, and NATS refuses them on the log and on
// REQUESTS.
func TestBI77HeadersRewriteNothing(t *testing.T) {
	b := bustest.Start(t)
	b.KeepRequests()
	alice := b.Operator("alice")
	if _, err := alice.PublishRequest(t.Context(), alice.Identity(), askOf("first")); err != nil {
		t.Fatal(err)
	}
	server := b.StateServer()
	if _, err := server.Log().Append(t.Context(), 0, setting(t, "a")); err != nil {
		t.Fatal(err)
	}
	operator, mallory, _ := raw(t, b, operatorRole(b))
	state, _, _ := raw(t, b, stateServerRole(b))
	for _, h := range []nats.Header{
		{"Nats-Rollup": {"all"}},
		{"Nats-Rollup": {"sub"}},
		{"Nats-TTL": {"1s"}},
		{"Nats-Schedule": {"@at 2099-01-01T00:00:00Z"}, "Nats-Schedule-Target": {"requests." + alice.Public() + ".x"}},
		{"Nats-Incr": {"+1"}},
		{"Nats-Expected-Stream": {"OTHER"}},
	} {
		for subject, nc := range map[string]*nats.Conn{"requests." + mallory.Public() + ".x": state, "log.setting": state} {
			m := nats.NewMsg(subject)
			m.Header, m.Data = h, []byte("x")
			answer, err := nc.RequestMsg(m, 5*time.Second)
			var ack struct{ Error *struct{ Description string } }
			if err == nil {
				err = json.Unmarshal(answer.Data, &ack)
			}
			if err != nil || ack.Error == nil {
				t.Errorf("BI-77: %v on %s: %v, %+v; want it refused", h, subject, err, ack)
			}
		}
	}
	m := nats.NewMsg("requests." + mallory.Public() + ".second")
	m.Header = nats.Header{
		"Nats-Rollup": {"all"}, "Nats-TTL": {"1s"}, "Nats-Expected-Stream": {"OTHER"}, "Nats-Msg-Id": {"x"},
		"Nats-Batch-Id": {"b"}, "Nats-Batch-Sequence": {"1"}, "Nats-Batch-Commit": {"1"},
	}
	if answer, err := operator.RequestMsg(m, 5*time.Second); err != nil || !json.Valid(answer.Data) {
		t.Errorf("BI-77: headers of a request: %v", err)
	}
	if got := readRequests(t, server, 2); got[0].ID != "first" || got[1].ID != "second" {
		t.Errorf("the requests are %+v", got)
	}
	if n, err := server.Log().Last(t.Context()); err != nil || n != 1 {
		t.Errorf("the log ends at %d, %v", n, err)
	}
}
