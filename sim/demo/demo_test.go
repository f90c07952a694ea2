package demo

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/agent/pipe"
	"github.com/jujube-project/jujube/projections/status"
)

// A demo that cannot fail proves nothing. So each of its checks must notice what is wrong.

func TestDemoCountsClaimsThatAreNotTrue(t *testing.T) {
	var out bytes.Buffer
	s := &stage{out: &out}
	s.claim(true, "water is wet")
	s.claim(false, "%d is 4", 5)
	if s.claims != 2 || s.wrong != 1 {
		t.Errorf("claims %d, wrong %d; want 2 and 1", s.claims, s.wrong)
	}
	if !strings.Contains(out.String(), "✗ NOT TRUE: 5 is 4") {
		t.Errorf("output:\n%s", out.String())
	}
}

func TestDemoTrafficNoticesEveryFailure(t *testing.T) {
	answer := make(chan func(http.ResponseWriter), 1)
	me := hello{Unit: "web/0", PID: 7}
	workload := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { (<-answer)(w) }))
	defer workload.Close()
	me.URL = workload.URL + "/"
	body := func(h hello) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { _ = json.NewEncoder(w).Encode(h) }
	}
	other := me
	other.PID = 8
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter)
		fails  bool
	}{
		{"the same process", body(me), false},
		{"another process", body(other), true},
		{"an error", func(w http.ResponseWriter) { http.Error(w, "no", http.StatusInternalServerError) }, true},
		{"nonsense", func(w http.ResponseWriter) { _, _ = w.Write([]byte("hello")) }, true},
	} {
		answer <- c.answer
		if err := get(t.Context(), http.DefaultClient, me); (err != nil) != c.fails {
			t.Errorf("%s: error %v; must fail: %v", c.name, err, c.fails)
		}
	}
	workload.Close()
	if get(t.Context(), http.DefaultClient, me) == nil {
		t.Error("a workload that is gone was not noticed")
	}
}

func TestDemoTrafficCountsStarts(t *testing.T) {
	traffic, err := newTraffic()
	if err != nil {
		t.Fatal(err)
	}
	defer traffic.close()
	for _, pid := range []int{7, 8} {
		body, err := json.Marshal(hello{Unit: "web/0", URL: "http://127.0.0.1:1/", PID: pid})
		if err != nil {
			t.Fatal(err)
		}
		tellAddress(traffic.url, body)
	}
	if err := traffic.wait(t.Context(), "web/0"); err != nil {
		t.Fatal(err)
	}
	if got := traffic.results(); len(got) != 1 || got[0].starts != 2 || got[0].PID != 8 {
		t.Errorf("results %+v; want one workload that started twice", got)
	}
}

func TestGreetingIsTheAgents(t *testing.T) {
	if greeting != pipe.Hello {
		t.Errorf("agents say %q, the demo looks for %q", pipe.Hello, greeting)
	}
}

func TestDemoSpoilsTheGreetingOnly(t *testing.T) {
	dir := t.TempDir()
	exe := filepath.Join(dir, "jujud")
	if err := os.WriteFile(exe, []byte("ELF "+pipe.Hello+" code"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := spoil(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	if want := "ELF " + strings.Repeat("?", len(pipe.Hello)) + " code"; string(b) != want {
		t.Errorf("got %q, want %q", b, want)
	}
	if spoil(dir) == nil {
		t.Error("a jujud without a greeting was called spoilt")
	}
}

func TestDemoComparesStatuses(t *testing.T) {
	a := status.Status{Environment: status.Environment{AgentVersion: "1.25.1"}, Log: status.Log{Position: 4}}
	b := a
	b.Log.Position = 5
	if same, err := sameStatus(a, b); !same || err != nil {
		t.Errorf("the same status at another position: same %v, %v", same, err)
	}
	b.Environment.AgentVersion = "1.25.2"
	if same, err := sameStatus(a, b); same || err != nil {
		t.Errorf("another version: same %v, %v", same, err)
	}
}

func TestDemoQuotesWhatAShellWouldSplit(t *testing.T) {
	if got := quoted([]string{"audit", "log", "--kind", "agent.*", "it's"}); got != `audit log --kind 'agent.*' 'it'\''s'` {
		t.Errorf("got %s", got)
	}
}
