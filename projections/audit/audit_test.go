package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/audit"
	"github.com/jujube-project/jujube/projections/scenario"
)

var update = flag.Bool("update", false, "rewrite the scenario files")

// digests are left out of the answers: they change whenever a State gets another field.
var digests = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// The questions are "table", "jsonl", "json" with filters as KEY=VALUE, and "verify".
func TestScenarios(t *testing.T) {
	scenario.Run(t, "*.txt", *update, func(question string, log []events.Record) string {
		words := strings.Fields(question)
		if words[0] == "verify" {
			return digests.ReplaceAllString(describe(verify(log)), "DIGEST")
		}
		var out bytes.Buffer
		w, err := audit.NewWriter(&out, words[0], time.UTC)
		if err != nil {
			return err.Error()
		}
		f := filter(words[1:])
		for _, r := range log {
			if e := audit.EntryOf(r); f.Match(e) {
				if err := w.Write(e); err != nil {
					return err.Error()
				}
			}
		}
		if err := w.Close(); err != nil {
			return err.Error()
		}
		return out.String()
	})
}

func filter(words []string) audit.Filter {
	var f audit.Filter
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "machine":
			f.Machine = value
		case "upgrade":
			f.Upgrade = value
		case "actor":
			f.Actor = value
		case "kind":
			f.Kind = value
		case "since":
			f.Since, _ = time.Parse(time.RFC3339, value)
		case "until":
			f.Until, _ = time.Parse(time.RFC3339, value)
		case "from":
			fmt.Sscan(value, &f.From)
		case "to":
			fmt.Sscan(value, &f.To)
		default:
			panic(key)
		}
	}
	return f
}

func verify(log []events.Record) *audit.Verifier {
	v := audit.NewVerifier()
	for _, r := range log {
		v.Expect(r)
	}
	for _, r := range log {
		v.Fold(r, nil)
	}
	return v
}

func describe(v *audit.Verifier) string {
	var b strings.Builder
	for _, f := range v.Findings {
		fmt.Fprintf(&b, "%d %s: %s\n", f.Seq, f.Code, f.Text)
	}
	for _, o := range v.OpenOrders() {
		fmt.Fprintf(&b, "open: %s of machine %s since %d\n", o.Order, o.Machine, o.Seq)
	}
	fmt.Fprintf(&b, "%d findings, %d orders, %d snapshots checked, unknown kinds %v\n", len(v.Findings), v.Orders, v.Checked, v.Unknown)
	return b.String()
}

func codes(v *audit.Verifier) []string {
	var out []string
	for _, f := range v.Findings {
		out = append(out, fmt.Sprintf("%d %s", f.Seq, f.Code))
	}
	return out
}

// Each case breaks one thing in a log that is in order.
func TestVerifyFinds(t *testing.T) {
	whole := func() *scenario.Script {
		return scenario.New().Lines("env demo 1.24.0\nenrol 0 1.24.0\nstart 0 1.24.0\nask u1 1.25.0\n" +
			"accept u1 1.24.0 1.25.0 0\norder 0 u1 1.24.0 1.25.0\nupgraded 0 u1 1.25.0\ncomplete u1 1.25.0")
	}
	digest := projections.New()
	for _, r := range whole().Records[:5] {
		digest.Fold(r)
	}
	for _, c := range []struct {
		name  string
		lines string
		edit  func([]events.Record) []events.Record
		want  []string
	}{
		{name: "nothing", want: nil},
		{name: "a true snapshot", lines: "snapshot 5 " + digest.Digest(), want: nil},
		{name: "a snapshot of what is not there yet", lines: "snapshot 9 d", want: []string{"9 digest"}},
		{name: "a false snapshot", lines: "snapshot 5 d", want: []string{"5 digest"}},
		{name: "a second environment", lines: "env demo 1.24.0", want: []string{"9 first-record"}},
		{name: "a second end", lines: "timeout 0 u1", want: []string{"9 terminal"}},
		{name: "an end without an order", lines: "timeout 0 u9", want: []string{"9 terminal"}},
		{name: "two open orders", lines: "order 0 u2 1.24.0 1.25.0\nrestart 0 r1", want: []string{"10 order"}},
		{name: "an order issued again", lines: "order 0 u1 1.24.0 1.25.0", want: []string{"9 order"}},
		{name: "an open order is no fault", lines: "order 0 u2 1.24.0 1.25.0", want: nil},
		{name: "an unknown kind is no fault", lines: "unknown machine.labelled/1", want: nil},
		{name: "a gap", edit: func(r []events.Record) []events.Record { return append(r[:2:2], r[3:]...) }, want: []string{"4 gap"}},
		{name: "another start", edit: func(r []events.Record) []events.Record {
			r[0].Kind, r[0].Data = "setting.changed/1", []byte(`{"key":"a"}`)
			return r
		}, want: []string{"1 first-record"}},
		{name: "a broken payload", edit: func(r []events.Record) []events.Record {
			r[7].Data = []byte("{")
			return r
		}, want: []string{"8 invalid"}},
		{name: "a report twice", edit: func(r []events.Record) []events.Record {
			again := r[2]
			again.Seq = 9
			return append(r, again)
		}, want: []string{"9 report-twice"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := whole().Lines(c.lines).Records
			if c.edit != nil {
				log = c.edit(log)
			}
			if d := cmp.Diff(c.want, codes(verify(log))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestVerifyFindsBytesThatAreNoRecord(t *testing.T) {
	v := audit.NewVerifier()
	v.Fold(scenario.New().Lines("env demo 1.24.0").Records[0], nil)
	v.Fold(events.Record{Seq: 2}, fmt.Errorf("%w: no envelope line", events.ErrInvalid))
	if d := cmp.Diff([]string{"2 invalid"}, codes(v)); d != "" {
		t.Error(d)
	}
	if v.State.Seq != 2 || v.State.Skipped[projections.SkippedInvalid] != 1 {
		t.Errorf("the state is at %d, skipped %v", v.State.Seq, v.State.Skipped)
	}
}

func TestVerifyComparesWhatIsServed(t *testing.T) {
	v := verify(scenario.New().Lines("env demo 1.24.0").Records)
	v.Served(1, v.State.Digest())
	if len(v.Findings) != 0 {
		t.Fatal(v.Findings)
	}
	v.Served(1, "another")
	if d := cmp.Diff([]string{"1 served-digest"}, codes(v)); d != "" {
		t.Error(d)
	}
}

func TestTableLetsNoControlCharactersThrough(t *testing.T) {
	rec := scenario.New().Lines("env demo 1.24.0").Records[0]
	e := audit.EntryOf(rec)
	e.Why, e.Subject = "a\x1b[2Jb\u009b", "\x1b]0;x\a"
	for _, format := range []string{audit.FormatTable, audit.FormatJSON, audit.FormatJSONL} {
		var out bytes.Buffer
		w, err := audit.NewWriter(&out, format, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Write(e), w.Write(e), w.Close()); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\x1b\u009b\a") {
			t.Errorf("%s: %q", format, out.String())
		}
		if format == audit.FormatJSON {
			var back []audit.Entry
			if err := json.Unmarshal(out.Bytes(), &back); err != nil || len(back) != 2 || back[0].Why != e.Why {
				t.Errorf("%v: %+v", err, back)
			}
		}
	}
}
