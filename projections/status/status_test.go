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

// A deployment waits for one of two others. Status says what it is and who may agree, in every format; the
// values of its environment are left out.
func TestRequestsThatWait(t *testing.T) {
	log := scenario.New()
	for _, line := range []string{"env demo 1.24.0", "enrol 0 1.24.0 server", "enrol 1 1.24.0"} {
		log.Line(line)
	}
	ask := events.Ask{
		ID: "r1", Environment: "u", Action: events.ActionDeploy, Created: log.Now(), Expires: log.Now(),
		Deploy: &events.AskDeploy{Service: "job", Machine: "1", Command: []string{"/bin/sh", "-c", "id"}, Env: map[string]string{"KEY": "hunter2"}},
	}
	statement, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := json.Marshal(events.Signed{Statement: statement})
	if err != nil {
		t.Fatal(err)
	}
	s := fold(log.Records)
	may := func(role string) []events.Grant { return []events.Grant{{Role: role}} }
	s.Trust.Roster.Operators = []events.Operator{
		{Name: "olga", Key: "UO", Grants: may(events.RoleOperate)},
		{Name: "bob", Key: "UB", Grants: may(events.RoleApprove)},
		{Name: "rob", Key: "UR", Grants: may(events.RoleRead)},
		{Name: "alice", Key: "UA", Grants: may(events.RoleAdmin)},
	}
	rec, err := events.New(events.Envelope{ID: "e1", Time: log.Now(), Actor: "operator-olga", Correlation: "r1"}, &events.RequestPending{
		Request: events.Request{ID: "r1", Action: ask.Action, Operator: "olga", Signed: signed}, Needed: 2, Until: log.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Fold(rec)
	st := status.Make(s)
	var out bytes.Buffer
	for _, format := range []string{"tabular", "json", "yaml"} {
		if err := status.Write(&out, format, st, status.Options{UTC: true}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"r1  deploy  olga      1/2     2015-06-01T13:00:03Z",
		`waiting: run on machine 1 as root, as a unit of job: ["/bin/sh" "-c" "id"], restart always, environment ["KEY"] ` +
			`(olga agreed; bob, alice may: juju approve r1)`,
		`"able":["bob","alice"]`, "missing: 1",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Error("a value of the environment is shown")
	}
	b, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := status.Parse(b); err != nil || cmp.Diff(st, back) != "" {
		t.Errorf("%v %s", err, cmp.Diff(st, back))
	}
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
