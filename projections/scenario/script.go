package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
)

// Script is a log in the making, one line after the other.
type Script struct {
	Records []events.Record // the log so far, with sequences
	now     time.Time
	reports map[string]uint64 // by machine
}

// New gives an empty log.
func New() *Script {
	return &Script{now: time.Date(2015, 6, 1, 12, 0, 0, 0, time.UTC), reports: map[string]uint64{}}
}

// Now is when the newest record was written.
func (s *Script) Now() time.Time { return s.now }

// Record appends records that the test has made: what was decided on a question.
func (s *Script) Record(recs ...events.Record) {
	for _, rec := range recs {
		rec.Seq = uint64(len(s.Records) + 1)
		s.Records = append(s.Records, rec)
	}
}

// Line appends the record that a line stands for. It panics on a line without meaning: a test with such a
// line must not pass.
func (s *Script) Line(line string) {
	words := strings.Fields(line)
	if words[0] == "later" {
		d, err := time.ParseDuration(words[1])
		if err != nil {
			panic(fmt.Sprintf("%q: %v", line, err))
		}
		s.now = s.now.Add(d)
		return
	}
	verb, ok := verbs[words[0]]
	if !ok {
		panic(fmt.Sprintf("%q: no such verb", line))
	}
	s.now = s.now.Add(time.Second)
	args := append(words[1:], make([]string, 8)...) // absent words are empty
	s.add(verb(s, args))
}

// Report gives the report that a line stands for, as the machine's outbox numbers it. Nothing is
// recorded: the test hands the report to whoever decides on it. It panics on a line that is no
// report.
func (s *Script) Report(line string) events.Report {
	words := strings.Fields(line)
	verb, ok := verbs[words[0]]
	if !ok {
		panic(fmt.Sprintf("%q: no such verb", line))
	}
	report, ok := verb(s, append(words[1:], make([]string, 8)...)).payload.(events.Report)
	if !ok {
		panic(fmt.Sprintf("%q: no agent reports that", line))
	}
	return report
}

func (s *Script) add(f fact) {
	seq := uint64(len(s.Records) + 1)
	env := events.Envelope{
		ID: fmt.Sprintf("r%d", seq), Time: s.now, Actor: f.actor, Correlation: f.request,
	}
	if env.Actor == "" {
		env.Actor = "state-server-0"
	}
	rec := events.Record{Envelope: env, Kind: f.raw, Entity: "environment", Data: []byte("{}")}
	if f.payload != nil {
		var err error
		if rec, err = events.New(env, f.payload); err != nil {
			panic(err)
		}
	}
	rec.Seq = seq
	s.Records = append(s.Records, rec)
}

// Lines appends the records of a whole text.
func (s *Script) Lines(text string) *Script {
	for line := range strings.Lines(text) {
		if line = clean(line); line != "" {
			s.Line(line)
		}
	}
	return s
}

// clean drops a comment and the space around a line.
func clean(line string) string {
	line, _, _ = strings.Cut(line, "#")
	return strings.TrimSpace(line)
}

// Run plays every file of testdata/PATTERN. It calls answer for each question, with the log up to there,
// and compares the answer with the one in the file. With update it writes the answers into the files
// instead.
func Run(t *testing.T, pattern string, update bool, answer func(question string, log []events.Record) string) {
	t.Helper()
	Play(t, pattern, update, func(question string, s *Script) string { return answer(question, s.Records) })
}

// Play is Run for questions whose answer goes into the log: answer records it with Script.Record.
func Play(t *testing.T, pattern string, update bool, answer func(question string, s *Script) string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario in testdata/%s: %v", pattern, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(string(want), answer)
			if got == string(want) {
				return
			}
			if update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("%s tells another story now; run with -update and read the difference\n%s", file, difference(string(want), got))
		})
	}
}

// play gives the text of a scenario with the answers of now.
func play(text string, answer func(string, *Script) string) string {
	s := New()
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			continue // an old answer
		}
		out.WriteString(line)
		question, asked := strings.CutPrefix(line, "? ")
		switch {
		case asked:
			for a := range strings.Lines(answer(clean(question), s)) {
				out.WriteString(strings.TrimRight("| "+a, " \n") + "\n")
			}
		case clean(line) != "":
			s.Line(clean(line))
		}
	}
	return out.String()
}

// difference shows the first lines that differ.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range g {
		if i >= len(w) || w[i] != g[i] {
			return fmt.Sprintf("line %d\nwas: %s\nnow: %s", i+1, strings.Join(w[min(i, len(w)):min(i+8, len(w))], "\n     "),
				strings.Join(g[i:min(i+8, len(g))], "\n     "))
		}
	}
	return "lines at the end are gone"
}
