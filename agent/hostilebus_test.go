package agent_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/events"
)

// wire is one record as the bus carries it.
type wire struct {
	seq  uint64
	data []byte
}

// carry puts a payload on the bus.
func carry(t *testing.T, seq uint64, p events.Payload) wire {
	t.Helper()
	rec, err := events.New(events.Envelope{ID: fmt.Sprint("id-", seq), Time: now, Actor: "state-server-0"}, p)
	if err != nil {
		t.Fatal(err)
	}
	data, err := events.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	return wire{seq, data}
}

// hear is what a machine makes of what the bus gives it: decoded as it decodes it, stepped
// through as it steps. It returns what it did, in words.
func hear(s agent.State, given []wire, at time.Time) string {
	var did []string
	for _, w := range given {
		rec, err := events.Unmarshal(w.data)
		if err != nil {
			continue // package bus counts it as garbage
		}
		payload, err := events.Decode(rec)
		if err != nil {
			continue
		}
		in := agent.InputOf(w.seq, payload, at)
		if in == nil {
			continue
		}
		var effects []agent.Effect
		s, effects = agent.Step(s, in)
		did = append(did, names(effects)...)
	}
	if len(did) == 0 {
		return "ignored"
	}
	return strings.Join(did, " ")
}

// A bus that records and rewrites what passes: each case breaks one thing on the way to the
// machine, and says what the machine does of it. Signatures are another table's.
func TestHostileBus(t *testing.T) {
	first := carry(t, 5, ptr(order("o1", 5, "1.25.1", "1.25.2", digestA).Order))
	second := carry(t, 9, ptr(order("o2", 9, "1.25.1", "1.25.3", digestB).Order))
	const taken = "Save agent.downloading/1 Download"
	again := taken + " Drop agent.upgrade_failed/1 withdrawn " + taken
	rewrite := func(w wire, from, to string) wire {
		if !bytes.Contains(w.data, []byte(from)) {
			t.Fatalf("there is no %s in %s", from, w.data)
		}
		return wire{w.seq, bytes.Replace(w.data, []byte(from), []byte(to), 1)}
	}
	for name, c := range map[string]struct {
		given []wire
		at    time.Duration
		want  string
	}{
		"nothing broken":                  {given: []wire{first}, want: taken},
		"duplicated":                      {given: []wire{first, first}, want: taken},
		"replayed behind a newer one":     {given: []wire{first, second, first}, want: again},
		"reordered":                       {given: []wire{second, first}, want: taken},
		"replayed under its old number":   {given: []wire{second, {9, first.data}}, want: taken},
		"dropped: only the newest counts": {given: []wire{second}, want: taken},
		"truncated in the payload":        {given: []wire{{5, first.data[:len(first.data)-9]}}, want: "ignored"},
		"truncated in the envelope":       {given: []wire{{5, first.data[:20]}}, want: "ignored"},
		"empty":                           {given: []wire{{5, nil}}, want: "ignored"},
		"bytes behind it":                 {given: []wire{{5, append(bytes.Clone(first.data), "{}"...)}}, want: "ignored"},
		"of an unknown kind":              {given: []wire{rewrite(first, "order.issued/1", "order.forged/9")}, want: "ignored"},
		"of a kind that is no order":      {given: []wire{carry(t, 5, &events.MachineLost{Machine: "3"})}, want: "ignored"},
		"delayed past its expiry":         {given: []wire{first}, at: 2 * time.Hour, want: "Save agent.upgrade_failed/1 expired Save Collect"},
		"for another machine": {
			given: []wire{carry(t, 5, ptr(other(order("o1", 5, "1.25.1", "1.25.2", digestA).Order, "4")))},
			want:  "Save agent.upgrade_failed/1 not-for-me Save Collect",
		},
		"from another version": {
			given: []wire{carry(t, 5, ptr(order("o1", 5, "1.24.0", "1.25.2", digestA).Order))},
			want:  "Save agent.upgrade_failed/1 wrong-version Save Collect",
		},
		"for another processor": {
			given: []wire{rewrite(first, "1.25.2-trusty-amd64", "1.25.2-trusty-arm64")},
			want:  "Save agent.upgrade_failed/1 wrong-platform Save Collect",
		},
		"a length of nothing":     {given: []wire{rewrite(first, `"size_bytes":10`, `"size_bytes":0`)}, want: "ignored"},
		"a length below nothing":  {given: []wire{rewrite(first, `"size_bytes":10`, `"size_bytes":-1`)}, want: "ignored"},
		"a length over the limit": {given: []wire{rewrite(first, `"size_bytes":10`, `"size_bytes":999999999999`)}, want: "ignored"},
		"a length over 2^63":      {given: []wire{rewrite(first, `"size_bytes":10`, `"size_bytes":9223372036854775808`)}, want: "ignored"},
		"a digest that is none":   {given: []wire{rewrite(first, digestA, "../../etc/passwd")}, want: "ignored"},
		"a rate below nothing": {
			given: []wire{rewrite(first, `"health_window_ms":100`, `"health_window_ms":100,"rate_bytes_s":-1`)},
			want:  "ignored",
		},
		"a machine that is a path": {given: []wire{rewrite(first, `"machine":"3"`, `"machine":"../3"`)}, want: "ignored"},
		"a withdrawal, replayed, of an older": {
			given: []wire{second, carry(t, 7, &events.OrderSuperseded{Order: "o2", Machine: "3", Reason: "x"})},
			want:  taken,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := hear(running("1.25.1"), c.given, now.Add(c.at)); got != c.want {
				t.Errorf("it did %q, want %q", got, c.want)
			}
		})
	}
}

func ptr(o events.OrderIssued) *events.OrderIssued { return &o }

func other(o events.OrderIssued, machine string) events.OrderIssued {
	o.Machine = machine
	return o
}
