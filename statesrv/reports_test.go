package statesrv

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// idle is an owner that wants nothing from its writer.
type idle struct{}

func (idle) Plan(decide.At, uint64) (d decide.Decision) { return d }
func (idle) Prove(context.Context, *decide.Fact) error  { return nil }
func (idle) Appended([]events.Record, time.Duration)    {}
func (idle) Want(decide.Want)                           {}
func (idle) Committed(*projections.State)               {}

// Two copies of a report wait when the log is lost: neither sender may take the other's
// copy for stored.
func TestACopyOfWhatWasNotStoredIsNoDuplicate(t *testing.T) {
	now := func() time.Time { return time.Date(2015, 9, 15, 12, 0, 0, 0, time.UTC) }
	st := projections.New()
	st.Machines["1"] = &projections.Machine{ID: "1", Life: projections.LifeAlive, Key: testkey.Of("machine-1").Public()}
	w := writer.New(writer.Config{
		Log: memlog.New(), Actor: "state-server-0", Now: now, NewID: func() string { return "id" }, Logger: slog.New(slog.DiscardHandler),
	}, st, idle{})
	s := &reports{writer: w, presence: newPresence(now()), now: now, garbage: func(string) {}, logger: slog.New(slog.DiscardHandler)}
	answers := make(chan wire.ReportAnswer, 2)
	for range 2 {
		s.onReport(bus.Report{Machine: "machine-1", Data: started(t), Answer: func(a wire.ReportAnswer) { answers <- a }})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the log cannot be reached any more
	if err := w.Flush(ctx); err == nil {
		t.Fatal("the batch was committed")
	}
	for range 2 {
		if a := <-answers; a.Code != wire.ReportRetry {
			t.Errorf("a sender was told %+v", a)
		}
	}
}

// started is the report of machine 1 that its agent has started.
func started(t *testing.T) []byte {
	t.Helper()
	report := &events.AgentStarted{Version: testVersion}
	report.SetHead(events.ReportHead{Machine: "1", Epoch: "e", N: 1})
	rec, err := events.New(events.Envelope{ID: "sent", Time: time.Unix(1, 0), Actor: "machine-1"}, report)
	if err == nil {
		rec, err = rec.Signed(testkey.Of("machine-1"))
	}
	var data []byte
	if err == nil {
		data, err = events.Marshal(rec)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var testVersion = version.Binary{Number: version.Number{Major: 1, Minor: 25}, Series: "trusty", Arch: "amd64"}

// testLogKey is a log key that everybody knows.
func testLogKey(t *testing.T) *tree.Signer {
	t.Helper()
	private, _, err := tree.NewKey(bytes.NewReader(make([]byte, 64)), bustest.Environment)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tree.NewSigner(bustest.Environment, private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}
