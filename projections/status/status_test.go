package status_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/scenario"
	"github.com/jujube-project/jujube/projections/status"
)

var update = flag.Bool("update", false, "rewrite the scenario files")

// A question is "FORMAT [PATTERN…]". The word "utc" behind the format stands for --utc.
func TestScenarios(t *testing.T) {
	scenario.Run(t, "*.txt", *update, func(question string, log []events.Record) string {
		words := strings.Fields(question)
		o := status.Options{Zone: time.FixedZone("", 2*60*60)}
		if len(words) > 1 && words[1] == "utc" {
			o.UTC = true
			words = append(words[:1], words[2:]...)
		}
		st, err := status.Make(fold(log)).Filter(words[1:])
		if err != nil {
			return err.Error() + "\n"
		}
		var b bytes.Buffer
		if words[0] == "pretty" {
			enc := json.NewEncoder(&b)
			enc.SetIndent("", "  ")
			err = enc.Encode(st)
		} else {
			err = status.Write(&b, words[0], st, o)
		}
		if err != nil {
			return err.Error() + "\n"
		}
		return b.String()
	})
}

func fold(log []events.Record) *projections.State {
	s := projections.New()
	for _, r := range log {
		s.Fold(r)
	}
	return s
}

// fleet is n machines in the middle of an upgrade, with a unit on each fourth.
func fleet(n int) status.Status {
	log := scenario.New()
	log.Line("env demo 1.24.0")
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
		log.Line("enrol " + ids[i] + " 1.24.0")
		log.Line("start " + ids[i] + " 1.24.0")
		if i%4 == 0 {
			log.Line(fmt.Sprintf("unit web/%d %d", i/4, i))
		}
	}
	log.Line("ask u1 1.25.0")
	log.Line("accept u1 1.24.0 1.25.0 " + strings.Join(ids, ","))
	return status.Make(fold(log.Records))
}

func TestJSONIsReadBackAndOrdered(t *testing.T) {
	st := fleet(120)
	b, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	var back status.Status
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(st, back); d != "" {
		t.Error(d)
	}
	if parsed, err := status.Parse(b); err != nil || cmp.Diff(st, parsed) != "" {
		t.Errorf("Parse reads another status: %v\n%s", err, cmp.Diff(st, parsed))
	}
	if two, ten := bytes.Index(b, []byte(`"2":{`)), bytes.Index(b, []byte(`"10":{`)); two < 0 || two > ten {
		t.Errorf("machine 2 stands at %d, machine 10 at %d", two, ten)
	}
	if m, ok := st.Machines.Get("100"); !ok || m.DNSName != "host100" {
		t.Errorf("machine 100 is %+v, %t", m, ok)
	}
}

// A YAML library reads the same from the YAML as is in the JSON, whatever the names are.
func TestYAMLSaysWhatJSONSays(t *testing.T) {
	st := fleet(12)
	for i, nasty := range []string{
		"yes", "null", "1.25", "0x10", "- a", "a: b", "a #b", "#", "", " lead", "trail ", "'", `"`, "{", "*x", "&x", "!x",
		"2015-06-01", "~", "\x1b[31mred", "line\nbreak", "\u202eturned", "ünï", "1e3", "a,b", "=", "@", "%", "`", "?", "|", ">",
	} {
		st.Machines = append(st.Machines, status.Entry[status.Machine]{
			Name: fmt.Sprint(100 + i), Value: status.Machine{DNSName: nasty, AgentStateInfo: "x " + nasty, Life: nasty},
		})
	}
	var j, y bytes.Buffer
	if err := status.Write(&j, "json", st, status.Options{UTC: true}); err != nil {
		t.Fatal(err)
	}
	if err := status.Write(&y, "yaml", st, status.Options{UTC: true}); err != nil {
		t.Fatal(err)
	}
	var read any
	if err := yaml.Unmarshal(y.Bytes(), &read); err != nil {
		t.Fatalf("%v\n%s", err, y.String())
	}
	converted, err := json.Marshal(read) // so that numbers have one type on both sides
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := json.Unmarshal(j.Bytes(), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(converted, &b); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a, b); d != "" {
		t.Error(d)
	}
}

// In no format a terminal obeys the name of a host.
func TestNoFormatLetsControlCharactersThrough(t *testing.T) {
	const evil = "a\x1b[2Jb\u009b1mc\u202ed\re\x7f"
	st := fleet(2)
	st.Environment.Name = evil
	st.Upgrade.LastError = evil
	st.Upgrade.Blockers = []events.Reason{{Code: evil, Text: evil, About: []string{evil}}}
	st.Upgrade.Waiting = []status.Waiting{{Reason: evil, Machines: []string{evil}}}
	st.Machines = status.Map[status.Machine]{{Name: "0", Value: status.Machine{DNSName: evil, AgentStateInfo: evil}}}
	st.Services = status.Map[status.Service]{{Name: "web", Value: status.Service{Units: status.Map[status.Unit]{
		{Name: "web/0", Value: status.Unit{PublicAddress: evil, WorkloadStatus: status.State{Message: evil}}},
	}}}}
	for _, format := range status.Formats {
		var b bytes.Buffer
		if err := status.Write(&b, format, st, status.Options{}); err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexAny(b.String(), "\x1b\u009b\u202e\r\x7f"); i >= 0 {
			t.Errorf("%s lets %q through", format, b.String()[i:min(i+20, b.Len())])
		}
	}
}

func TestUnknownFormatNamesTheKnownOnes(t *testing.T) {
	err := status.Write(&bytes.Buffer{}, "xml", status.Status{}, status.Options{})
	if err == nil || !strings.Contains(err.Error(), "tabular, yaml, json") {
		t.Errorf("got %v", err)
	}
}

// The target is 40 ms for 10,000 machines.
func BenchmarkMakeJSON(b *testing.B) {
	log := scenario.New()
	log.Line("env demo 1.24.0")
	for i := range 10_000 {
		log.Line(fmt.Sprintf("enrol %d 1.24.0", i))
		log.Line(fmt.Sprintf("start %d 1.24.0", i))
	}
	s := fold(log.Records)
	b.ResetTimer()
	for b.Loop() {
		if _, err := json.Marshal(status.Make(s)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text, err := json.Marshal(fleet(10_000))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := status.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	text, err := json.Marshal(fleet(10_000))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		var st status.Status
		if err := json.Unmarshal(text, &st); err != nil {
			b.Fatal(err)
		}
	}
}

// The target is 30 ms for 10,000 machines.
func BenchmarkWrite(b *testing.B) {
	st := fleet(10_000)
	for _, format := range []string{"tabular", "json", "yaml", "oneline", "summary"} {
		b.Run(format, func(b *testing.B) {
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				if err := status.Write(&out, format, st, status.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
