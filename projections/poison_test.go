package projections_test

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/scenario"
)

// BI-89: a record whose fold panics is counted, and the fold goes on.
func TestBI89PoisonIsSetAside(t *testing.T) {
	recs := scenario.New().Lines(story).Records
	replay := func() *projections.State {
		s := projections.New()
		s.Machines = nil // writing to a nil map panics; no record is known that makes a fold panic
		for _, r := range recs {
			s.Fold(r)
		}
		return s
	}
	a, b := replay(), replay()
	if a.Skipped["machine.enrolled/1"] == 0 || a.Seq != recs[len(recs)-1].Seq {
		t.Errorf("the fold ends at %d of %d, and set aside %v", a.Seq, len(recs), a.Skipped)
	}
	if a.Digest() != b.Digest() {
		t.Error("BI-89: two replays came to two states")
	}
}

// BI-88: a record of a newer release moves the position, is counted, and changes nothing else.
func TestBI88UnknownKindsAreCounted(t *testing.T) {
	recs := scenario.New().Lines(story).Records
	fold := func(extra bool) *projections.State {
		s := projections.New()
		for _, r := range recs {
			r.Seq = 0
			s.Fold(r)
			if extra {
				s.Fold(events.Record{Envelope: r.Envelope, Kind: "agent.started/9", Entity: "machine.machine-0", Data: []byte(`{"new":1}`)})
			}
		}
		return s
	}
	with, again, without := fold(true), fold(true), fold(false)
	if with.Digest() != again.Digest() {
		t.Error("BI-88: two replays came to two states")
	}
	if n := with.Skipped["agent.started/9"]; n != uint64(len(recs)) {
		t.Errorf("%d of %d records of a newer kind were counted", n, len(recs))
	}
	if len(with.Machines) != len(without.Machines) || with.AgentVersion != without.AgentVersion {
		t.Error("BI-88: a record that this build does not know changed something")
	}
}

// BI-90: every process comes to the same bytes, with one processor or several, with another order of maps and
// with other settings of the garbage collector.
func TestBI90ReplaysAgreeToTheByte(t *testing.T) {
	const child = "JUJUBE_REPLAY_DIGEST"
	digest := func() string {
		s := projections.New()
		for _, r := range scenario.New().Lines(story).Records {
			s.Fold(r)
		}
		return s.Digest()
	}
	if os.Getenv(child) != "" {
		t.Logf("digest %s", digest())
		return
	}
	want := digest()
	for _, procs := range []string{"1", "2", "7"} {
		cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1", "GOMAXPROCS="+procs, "GOGC=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("digest "+want)) {
			t.Errorf("BI-90: with %s processors (here %d): %v\n%s\nwant %s", procs, runtime.GOMAXPROCS(0), err, strings.TrimSpace(string(out)), want)
		}
	}
}
