package projections_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/scenario"
	"pgregory.net/rapid"
)

// story is an environment in which everything happens once.
const story = `
env demo 1.24.0
set agent-stream released
set upgrade-max-in-flight 5
unset agent-stream
enrol 0 1.24.0 server
start 0 1.24.0
request q1 add-machine
invite 1
enrol 1 1.24.0
start 1 1.24.0
enrol 7 1.24.0
start 7 1.24.0
unit web/3 1
units 1
unit-state web/3 1 started
tools 1.25.0
request q2 set-env
refused q2 unknown-setting no such setting
ask u0 1.26.0
refuse u0 agent-mismatch machine-7 runs 1.23.0
ask u1 1.25.0
accept u1 1.24.0 1.25.0 0,1,7
order 0 u1 1.24.0 1.25.0
downloading 0 u1 0
downloading 0 u1 100
staged 0 u1
restarting 0 u1 1.24.0 1.25.0
start 0 1.25.0
upgraded 0 u1 1.25.0
order 1 u1 1.24.0 1.25.0
order 7 u1 1.24.0 1.25.0
rolled-back 1 u1 1.24.0 trial-exited
lost 7
timeout 7 u1
late 7 u1
halt u1 machine-rolled-back machine-1 was rolled back
ask u2 1.25.0
abort u1
accept u2 1.24.0 1.25.0 0,1
remove 7
snapshot 5 d
order 1 u2 1.24.0 1.25.0
supersede 1 u2
order 1 u2 1.24.0 1.25.0
failed 1 u2 no-space
restart-ask r1 0
restart 0 r1
restarted 0 r1
unknown machine.labelled/1
complete u2 1.25.0
remove-unit web/3
`

func TestFoldTellsTheStory(t *testing.T) {
	s := foldAll(scenario.New().Lines(story).Records)
	if s.AgentVersion != (version.Number{Major: 1, Minor: 25}) || s.Upgrade != nil || len(s.Orders) != 0 {
		t.Errorf("at the end: version %s, upgrade %v, orders %v", s.AgentVersion, s.Upgrade, s.Orders)
	}
	var past []string
	for _, p := range s.Past {
		past = append(past, p.ID+" "+p.Outcome)
	}
	if d := cmp.Diff([]string{"u1 aborted", "u2 completed"}, past); d != "" {
		t.Error(d)
	}
	if s.NextMachine != 8 || s.NextUnit["web"] != 4 || len(s.Machines) != 2 || len(s.Units) != 0 {
		t.Errorf("next machine %d, next web unit %d, machines %v, units %v", s.NextMachine, s.NextUnit["web"], s.Machines, s.Units)
	}
	if d := cmp.Diff(map[string]string{"upgrade-max-in-flight": "5"}, s.Settings); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]uint64{"machine.labelled/1": 1}, s.Skipped); d != "" {
		t.Error(d)
	}
	outcomes := map[string]string{}
	for id, o := range s.Requests {
		outcomes[id] = o.Action + " " + o.Outcome
	}
	if d := cmp.Diff(map[string]string{
		"q1": "add-machine accepted", "q2": "set-env refused", "u0": "upgrade refused",
		"u1": "upgrade accepted", "u2": "upgrade accepted", "r1": "restart-agent accepted",
	}, outcomes); d != "" {
		t.Error(d)
	}
	m := s.Machines["0"]
	if m.Version.String() != "1.25.0-trusty-amd64" || m.Previous.String() != "1.24.0" || m.Failure != nil {
		t.Errorf("machine 0: %+v", m)
	}
	if f := s.Machines["1"].Failure; f == nil || f.Code != "no-space" || f.RolledBack {
		t.Errorf("machine 1 failed with %+v", f)
	}
}

// An order ends once: later facts that would end it change nothing.
func TestSecondTerminalRecordChangesNothing(t *testing.T) {
	log := scenario.New().Lines(`
		env demo 1.24.0
		enrol 0 1.24.0
		ask u1 1.25.0
		accept u1 1.24.0 1.25.0 0
		order 0 u1 1.24.0 1.25.0
		rolled-back 0 u1 1.24.0 trial-exited
		upgraded 0 u1 1.25.0
		timeout 0 u1
		supersede 0 u1
		upgraded 99 u1 1.25.0
		start 99 1.25.0
		unit-state web/0 0 started`)
	s := foldAll(log.Records)
	if s.Upgrade.Done["0"] != projections.DoneRolledBack || s.Machines["0"].Version.Number.String() != "1.24.0" {
		t.Errorf("the first end does not hold: %v, %+v", s.Upgrade.Done, s.Machines["0"])
	}
	if len(s.Machines) != 1 || len(s.Units) != 0 {
		t.Errorf("reports made machines %v or units %v", s.Machines, s.Units)
	}
}

func TestReportFoldedOnceOnly(t *testing.T) {
	log := scenario.New().Lines("env demo 1.24.0\nenrol 0 1.24.0\nstart 0 1.24.0\nstart 0 1.25.0")
	again := log.Records[2]
	again.Seq = 5
	s := foldAll(append(log.Records, again))
	if v := s.Machines["0"].Version.Number.String(); v != "1.25.0" || s.Seq != 5 {
		t.Errorf("at %d machine 0 runs %s", s.Seq, v)
	}
}

func TestRequestsPosition(t *testing.T) {
	log := scenario.New().Lines("env demo 1.24.0\nset a b\nset a c")
	log.Records[1].Causation = "requests:17"
	log.Records[2].Causation = "requests:x"
	if s := foldAll(log.Records); s.RequestsSeq != 17 {
		t.Errorf("judged up to %d", s.RequestsSeq)
	}
}

func TestRecordWithoutSequenceIsTheNextOne(t *testing.T) {
	log := scenario.New().Lines("env demo 1.24.0\nset a b")
	s := foldAll(log.Records[:1])
	decided := log.Records[1]
	decided.Seq = 0
	s.Fold(decided)
	s.Fold(log.Records[1]) // the same record, appended and read
	if s.Seq != 2 || s.Settings["a"] != "b" || s.Digest() != foldAll(log.Records).Digest() {
		t.Errorf("at %d with %v", s.Seq, s.Settings)
	}
}

// From a snapshot at any sequence, and from a clone, the rest of the log gives the same state as the whole log.
func TestSnapshotAnywhereGivesTheSameState(t *testing.T) {
	log := scenario.New().Lines(story).Records
	want := foldAll(log)
	for i := range log {
		s := foldAll(log[:i])
		before := s.Digest()
		back, err := projections.DecodeSnapshot(projections.EncodeSnapshot(s))
		if err != nil {
			t.Fatal(err)
		}
		if back.Digest() != before {
			t.Fatalf("at %d the snapshot is another state:\n%s", i, cmp.Diff(s, back, cmpopts.IgnoreUnexported(projections.State{})))
		}
		clone := s.Clone()
		for _, r := range log[i:] {
			back.Fold(r)
			clone.Fold(r)
		}
		if s.Digest() != before {
			t.Fatalf("at %d folding the clone changed the original", i)
		}
		if back.Digest() != want.Digest() || clone.Digest() != want.Digest() {
			t.Fatalf("from %d on the snapshot or the clone comes to another state", i)
		}
	}
}

func TestDecodeSnapshotRefuses(t *testing.T) {
	log := scenario.New().Lines(story).Records
	good := projections.EncodeSnapshot(foldAll(log))
	for name, b := range map[string][]byte{
		"nothing":  nil,
		"one line": []byte("{}"),
		"another schema": bytes.Replace(good, fmt.Appendf(nil, `"jujube_snapshot":%d`, projections.Schema),
			fmt.Appendf(nil, `"jujube_snapshot":%d`, projections.Schema+1), 1),
		"no snapshot":    []byte("hello\nworld"),
		"a changed byte": bytes.Replace(good, []byte(`"name":"demo"`), []byte(`"name":"dem0"`), 1),
		"a torn end":     good[:len(good)-10],
		"another place":  bytes.Replace(good, fmt.Appendf(nil, `"seq":%d`, len(log)), []byte(`"seq":7`), 1),
	} {
		if _, err := projections.DecodeSnapshot(b); !errors.Is(err, projections.ErrSnapshot) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A State is bounded, and forgets the same things with and without a snapshot in between.
func TestOldRequestsAndUpgradesAreForgotten(t *testing.T) {
	log := scenario.New()
	log.Line("env demo 1.24.0")
	for i := range projections.MaxRequests + 500 {
		log.Line(fmt.Sprintf("request q%d set-env", i))
		if i%50 == 0 {
			log.Line(fmt.Sprintf("accept u%d 1.24.0 1.25.0 0", i))
			log.Line(fmt.Sprintf("complete u%d 1.25.0", i))
		}
	}
	for i := range 300 {
		log.Line(fmt.Sprintf("unknown strange.kind%d/1", i))
	}
	s := foldAll(log.Records)
	if _, oldest := s.Requests["q500"]; len(s.Requests) != projections.MaxRequests || !oldest {
		t.Errorf("%d requests are known, q500 is among them: %t", len(s.Requests), oldest)
	}
	if len(s.Past) != projections.MaxPast || len(s.Skipped) > 257 || s.SkippedCount() != 300 {
		t.Errorf("%d past upgrades, %d kinds skipped, %d records", len(s.Past), len(s.Skipped), s.SkippedCount())
	}
	half, err := projections.DecodeSnapshot(projections.EncodeSnapshot(foldAll(log.Records[:10_200])))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range log.Records[10_200:] {
		half.Fold(r)
	}
	if half.Digest() != s.Digest() {
		t.Error("a snapshot between changes what is forgotten")
	}
}

// Facts come in any order, with garbage between them: the fold goes on, moves Seq, and gives the same state
// when it is done again.
func TestFoldToleratesAnything(t *testing.T) {
	all := scenario.New().Lines(story).Records
	rapid.Check(t, func(t *rapid.T) {
		log := make([]events.Record, rapid.IntRange(1, 120).Draw(t, "length"))
		for i := range log {
			r := all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
			switch rapid.IntRange(0, 9).Draw(t, "how") {
			case 0:
				r = events.Record{}
			case 1:
				r.Data = rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "data")
			case 2:
				r.Data = slices.Concat(r.Data, []byte("}"))
			case 3:
				r.Entity = "machine.machine-5"
			case 4:
				r.Data = []byte(strings.ReplaceAll(string(r.Data), "2015", "9999"))
				r.Time = time.Date(rapid.IntRange(-5, 20_000).Draw(t, "year"), 1, 1, 0, 0, 0, 0, time.FixedZone("", -43_200))
			}
			r.Seq = uint64(i + 1)
			log[i] = r
		}
		s := foldAll(log)
		if s.Seq != uint64(len(log)) {
			t.Fatalf("at %d after %d records", s.Seq, len(log))
		}
		if s.Digest() != foldAll(log).Digest() {
			t.Fatal("the same log gives two states")
		}
		back, err := projections.DecodeSnapshot(projections.EncodeSnapshot(s))
		if err != nil || back.Digest() != s.Digest() {
			t.Fatalf("a snapshot of it is another state: %v", err)
		}
	})
}

func TestCompareNames(t *testing.T) {
	want := []string{"0", "1", "2", "10", "010", "11", "a", "a1b", "a2", "a10", "web/0", "web/2", "web/10", "web-a/1"}
	names := slices.Clone(want)
	slices.Reverse(names)
	slices.SortFunc(names, projections.CompareNames)
	slices.SortFunc(want, projections.CompareNames)
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
	if projections.CompareNames("2", "10") >= 0 || projections.CompareNames("web/2", "web/10") >= 0 {
		t.Error("2 does not come before 10")
	}
	name := rapid.StringMatching(`[a0-2/]{0,5}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := name.Draw(t, "a"), name.Draw(t, "b"), name.Draw(t, "c")
		ab, bc, ac := projections.CompareNames(a, b), projections.CompareNames(b, c), projections.CompareNames(a, c)
		if ab != -projections.CompareNames(b, a) || (ab == 0) != (a == b) || ab <= 0 && bc <= 0 && ac > 0 {
			t.Fatalf("%q %q %q: %d %d %d", a, b, c, ab, bc, ac)
		}
	})
}
