package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/bus/logtest"
	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/events"
)

func TestLogInMemory(t *testing.T) {
	logtest.Run(t, func(*testing.T) events.Log { return memlog.New() })
}

func TestLogOnEmbeddedServer(t *testing.T) {
	logtest.Run(t, func(t *testing.T) events.Log { return bustest.Start(t).StateServer().Log() })
}

func TestLogOnSeparateServer(t *testing.T) {
	logtest.Run(t, func(t *testing.T) events.Log { return bustest.StartProcess(t).StateServer().Log() })
}

func setting(t *testing.T, id string) events.Record {
	t.Helper()
	rec, err := events.New(events.Envelope{ID: id, Time: time.Unix(1, 0), Actor: "tester"}, &events.SettingChanged{Key: "k", Value: id})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestLogSurvivesRestart(t *testing.T) {
	b := bustest.Start(t)
	log := b.StateServer().Log()
	if _, err := log.Append(t.Context(), 0, setting(t, "a"), setting(t, "b")); err != nil {
		t.Fatal(err)
	}
	b.Restart()
	after := b.StateServer().Log()
	if last, err := after.Append(t.Context(), 2, setting(t, "c")); err != nil || last != 3 {
		t.Fatalf("append after the restart: %d, %v", last, err)
	}
	var ids string
	for rec, err := range after.Read(t.Context(), 1, 3) {
		if err != nil {
			t.Fatal(err)
		}
		ids += rec.ID
	}
	if ids != "abc" {
		t.Fatalf("the log holds %q, want abc", ids)
	}
}

func TestFollowerOutlivesRestart(t *testing.T) {
	b := bustest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan string, 10)
	follower := b.Operator("alice").Log()
	go func() {
		for rec, err := range follower.Follow(ctx, 1) {
			if err == nil {
				seen <- rec.ID
			}
		}
	}()
	if _, err := b.StateServer().Log().Append(t.Context(), 0, setting(t, "before")); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "before" {
		t.Fatalf("followed %q", got)
	}
	b.Restart()
	if _, err := b.StateServer().Log().Append(t.Context(), 1, setting(t, "after")); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "after" {
		t.Fatalf("followed %q after the restart", got)
	}
}
