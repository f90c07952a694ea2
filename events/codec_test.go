package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/jujube-project/jujube/events"
)

func TestRecordsSurviveTheWire(t *testing.T) {
	word := rapid.StringMatching(`[!-~]{1,40}`).Filter(func(s string) bool { return s != "-" })
	maybe := rapid.OneOf(rapid.Just(""), word)
	rapid.Check(t, func(t *rapid.T) {
		key, signature := "", ""
		if rapid.Bool().Draw(t, "signed") {
			key, signature = word.Draw(t, "key"), word.Draw(t, "signature")
		}
		want := events.Record{
			Envelope: events.Envelope{
				ID: word.Draw(t, "id"), Actor: word.Draw(t, "actor"),
				Causation: maybe.Draw(t, "causation"), Correlation: maybe.Draw(t, "correlation"), Key: key, Signature: signature,
				Time: time.Unix(rapid.Int64Range(0, 9e9).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
			},
			Kind: word.Draw(t, "kind"), Entity: word.Draw(t, "entity"),
			Data: rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "data"),
		}
		b, err := events.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := events.Unmarshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestUnmarshalRefuses(t *testing.T) {
	for name, wire := range map[string]string{
		"nothing":           "",
		"no envelope":       "{}",
		"another layout":    "jujube/3 id a/1 0 environment alice - -\n{}",
		"a signed one less": "jujube/2 id a/1 0 environment alice - - UKEY\n{}",
		"no signature":      "jujube/2 id a/1 0 environment alice - - UKEY -\n{}",
		"no key":            "jujube/2 id a/1 0 environment alice - - - c2ln\n{}",
		"a signature more":  "jujube/1 id a/1 0 environment alice - - UKEY c2ln\n{}",
		"a field too few":   "jujube/1 id a/1 0 environment alice -\n{}",
		"a field too many":  "jujube/1 id a/1 0 environment alice - - -\n{}",
		"an empty field":    "jujube/1 id a/1 0 environment  - -\n{}",
		"no id":             "jujube/1 - a/1 0 environment alice - -\n{}",
		"no kind":           "jujube/1 id - 0 environment alice - -\n{}",
		"no entity":         "jujube/1 id a/1 0 - alice - -\n{}",
		"no actor":          "jujube/1 id a/1 0 environment - - -\n{}",
		"time is a word":    "jujube/1 id a/1 noon environment alice - -\n{}",
		"time before 1970":  "jujube/1 id a/1 -1000000000000000000 environment alice - -\n{}",
		"a control byte":    "jujube/1 id a/1 0 environment al\x1bice - -\n{}",
		"a letter past ~":   "jujube/1 id a/1 0 environment alicé - -\n{}",
		"a field too long":  "jujube/1 id a/1 0 environment " + strings.Repeat("a", events.MaxFieldBytes+1) + " - -\n{}",
		"a record too long": "jujube/1 id a/1 0 environment alice - -\n" + strings.Repeat("a", events.MaxRecordBytes),
	} {
		if _, err := events.Unmarshal([]byte(wire)); !errors.Is(err, events.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
}

func TestNewRefusesWhatDoesNotFitTheWire(t *testing.T) {
	long := &events.UnitsAssigned{Machine: "3"}
	for range 3000 {
		long.Units = append(long.Units, events.UnitSpec{
			Unit: "web/0", Machine: "3", Command: []string{strings.Repeat("x", 100)}, Restart: events.RestartAlways,
		})
	}
	if _, err := events.New(envelope(), long); !errors.Is(err, events.ErrInvalid) {
		t.Errorf("a payload over the limit: got %v", err)
	}
	for name, change := range map[string]func(*events.Envelope){
		"id":          func(e *events.Envelope) { e.ID = "" },
		"time":        func(e *events.Envelope) { e.Time = time.Time{} },
		"actor":       func(e *events.Envelope) { e.Actor = "two words" },
		"causation":   func(e *events.Envelope) { e.Causation = "-" },
		"correlation": func(e *events.Envelope) { e.Correlation = strings.Repeat("x", 257) },
	} {
		env := envelope()
		change(&env)
		if _, err := events.New(env, &events.MachineRemoved{Machine: "3"}); !errors.Is(err, events.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestDecodeTellsUnknownFromInvalid(t *testing.T) {
	rec, err := events.New(envelope(), &events.MachineRemoved{Machine: "3"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*events.Record)
		want   error
	}{
		{"another kind", func(r *events.Record) { r.Kind = "machine.labelled/1" }, events.ErrUnknownKind},
		{"a newer version", func(r *events.Record) { r.Kind = "machine.removed/2" }, events.ErrUnknownKind},
		{"no JSON", func(r *events.Record) { r.Data = []byte("{") }, events.ErrInvalid},
		{"another type", func(r *events.Record) { r.Data = []byte(`{"machine":3}`) }, events.ErrInvalid},
		{"a rule broken", func(r *events.Record) { r.Data = []byte(`{"machine":"03"}`) }, events.ErrInvalid},
		{"another entity", func(r *events.Record) { r.Entity = "machine.machine-4" }, events.ErrInvalid},
		{"a new field", func(r *events.Record) { r.Data = []byte(`{"machine":"3","colour":"red"}`) }, nil},
	} {
		r := rec
		c.change(&r)
		if _, err := events.Decode(r); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	machine := regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`)
	id := regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9]{0,11}`), rapid.StringMatching(`[A-Za-z0-9_-]{0,70}`)).Draw(t, "s")
		if got, want := events.IsMachine(s), machine.MatchString(s); got != want {
			t.Fatalf("IsMachine(%q) = %t", s, got)
		}
		if got, want := events.IsID(s), id.MatchString(s); got != want {
			t.Fatalf("IsID(%q) = %t", s, got)
		}
	})
	for name, want := range map[string]bool{
		"web/0": true, "mysql-master/12": true, "web": false, "web/": false, "web/01": false, "Web/0": false,
		"web/0\n": false, "web-1/0": false, "/0": false, "web/0/1": false,
	} {
		if got := events.IsUnit(name); got != want {
			t.Errorf("IsUnit(%q) = %t", name, got)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no goldens to start from: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := events.Unmarshal(b)
		if err != nil {
			if !errors.Is(err, events.ErrInvalid) {
				t.Fatalf("%v is not ErrInvalid", err)
			}
			return
		}
		again, err := events.Marshal(rec)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := events.Unmarshal(again)
		if err != nil || cmp.Diff(rec, back) != "" {
			t.Fatalf("written and read again it is another record: %v", err)
		}
		if p, err := events.Decode(rec); err == nil && p.Entity() != rec.Entity {
			t.Fatalf("decoded under %q, speaks of %q", rec.Entity, p.Entity())
		}
	})
}

func FuzzParseSigned(f *testing.F) {
	f.Add([]byte(`{"statement":"e30=","key":"U","signature":"AA=="}`))
	f.Add(signed(f, `{"id":"r1","environment":"e","action":"upgrade","created":"2015-06-01T12:00:00Z","expires":"2015-06-01T13:00:00Z"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, a, err := events.ParseSigned(b)
		if err != nil {
			if !errors.Is(err, events.ErrInvalid) {
				t.Fatalf("%v is not ErrInvalid", err)
			}
			return
		}
		if !events.IsID(a.ID) || len(s.Statement) == 0 {
			t.Fatalf("accepted %q", b)
		}
	})
}

func signed(t testing.TB, statement string) []byte {
	b, err := json.Marshal(events.Signed{Statement: []byte(statement), Key: "U", Signature: []byte("s")})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseSignedRefuses(t *testing.T) {
	const good = `{"id":"r1","environment":"e","action":"upgrade","created":"2015-06-01T12:00:00Z","expires":"2015-06-01T13:00:00Z"`
	if _, a, err := events.ParseSigned(signed(t, good+"}")); err != nil || a.ID != "r1" {
		t.Fatalf("a good request: %+v, %v", a, err)
	}
	for name, b := range map[string][]byte{
		"a field of a later release": signed(t, good+`,"pause":true}`),
		"bytes behind the statement": signed(t, good+"}{}"),
		"a brace behind the end":     append(signed(t, good+"}"), '}'),
		"bytes behind the request":   append(signed(t, good+"}"), "{}"...),
		"no id":                      signed(t, strings.Replace(good, "r1", "", 1)+"}"),
		"an id with a dot":           signed(t, strings.Replace(good, "r1", "r.1", 1)+"}"),
		"no expiry":                  signed(t, `{"id":"r1","action":"upgrade","created":"2015-06-01T12:00:00Z"}`),
		"too long":                   bytes.Repeat([]byte(" "), events.MaxRequestBytes+1),
	} {
		if _, _, err := events.ParseSigned(b); !errors.Is(err, events.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
