package agent_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/trial"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

var update = flag.Bool("update", false, "rewrite the scenario files")

// Each file of testdata is the story of one machine. A line says what happens to it, in the
// words of scenarioverbs_test.go; the lines below it, which begin with "|", say what the
// machine does. They are compared, or rewritten with -update.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := told(string(want))
			if *update {
				err = os.WriteFile(file, []byte(got), 0o644)
			} else if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s tells another story now; run with -update and read the difference\n%s", file, diff)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// told is the text of a scenario with every answer as it is now.
func told(text string) string {
	var out strings.Builder
	m := &machine{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			continue // an old answer
		}
		out.WriteString(line)
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) > 0 {
			for _, answer := range m.hear(words) {
				fmt.Fprintf(&out, "| %s\n", answer)
			}
		}
	}
	return out.String()
}

// machine is what a scenario is about: what its process knows, and what is on its disk. A
// new process knows only what is on the disk.
type machine struct {
	state agent.State
	disk  install.Journal
	kept  install.Journal // as the launcher wrote it last, when it kept a version
}

// hear plays one line, and tells what the machine does. With "cut=N" the process dies after
// N effects: what comes after them is never done, and only "start" brings the next process.
func (m *machine) hear(words []string) []string {
	line := strings.Join(words, " ")
	args := &arguments{line: line, named: map[string]string{}}
	for _, w := range words[1:] {
		if name, value, ok := strings.Cut(w, "="); ok {
			args.named[name] = value
		} else {
			args.words = append(args.words, w)
		}
	}
	verb, ok := verbs[words[0]]
	if !ok {
		panic(fmt.Sprintf("%q: there is no such verb", line))
	}
	in := verb(m, args)
	cut, dies := args.number("cut", 0)
	args.allRead()
	if in == nil {
		return nil
	}
	next, effects := agent.Step(m.state, in)
	m.state = next
	if dies {
		effects = effects[:cut]
	}
	answers := []string{}
	for _, e := range effects {
		if save, ok := e.(agent.Save); ok {
			m.disk = save.Journal
		}
		answers = append(answers, strings.ReplaceAll(inWords(e), "-trusty-amd64", "")) // which is every version's platform
	}
	if len(answers) == 0 {
		answers = []string{"nothing"}
	}
	if dies {
		answers = append(answers, "… and here the process dies")
	}
	return answers
}

// begin is a new process of a version: all it knows is on the disk.
func (m *machine) begin(running, reached, begun version.Binary) {
	m.state = agent.State{Journal: m.disk, Machine: "3", Running: running, Reached: reached.Number, Begun: begun.Number, PID: m.state.PID + 1}
}

// arguments are the words of a line behind its verb; all of them must be used.
type arguments struct {
	line  string
	words []string
	named map[string]string
}

func (a *arguments) next() string {
	if len(a.words) == 0 {
		panic(fmt.Sprintf("%q: a word is missing", a.line))
	}
	word := a.words[0]
	a.words = a.words[1:]
	return word
}

func (a *arguments) get(name, otherwise string) string {
	value, ok := a.named[name]
	if !ok {
		return otherwise
	}
	delete(a.named, name)
	return value
}

func (a *arguments) number(name string, otherwise int) (n int, given bool) {
	text := a.get(name, "")
	if text == "" {
		return otherwise, false
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(fmt.Sprintf("%q: %v", a.line, err))
	}
	return n, true
}

func (a *arguments) seq() uint64 {
	n, err := strconv.ParseUint(a.next(), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("%q: %v", a.line, err))
	}
	return n
}

// failure reads NAME=CAUSE/CODE; nil: it is not there.
func (a *arguments) failure(name, step string) *events.Failure {
	cause, code, ok := strings.Cut(a.get(name, ""), "/")
	if !ok {
		return nil
	}
	if !slices.Contains([]string{events.CauseArtifact, events.CauseVersion, events.CauseEnvironment, events.CauseOperator}, cause) {
		panic(fmt.Sprintf("%q: %s is no cause", a.line, cause))
	}
	return &events.Failure{Step: step, Cause: cause, Code: code, Text: "the text of " + code}
}

func (a *arguments) allRead() {
	if len(a.words) > 0 || len(a.named) > 0 {
		panic(fmt.Sprintf("%q: %v %v mean nothing here", a.line, a.words, slices.Collect(maps.Keys(a.named))))
	}
}

// inWords is an effect for people.
func inWords(e agent.Effect) string {
	switch e := e.(type) {
	case agent.Save:
		return "journal: " + journal(e.Journal)
	case agent.Tell:
		return "tell " + report(e.Report)
	case agent.Judge:
		return "judge the order again, before the " + e.Before
	case agent.Download:
		return "download " + e.Order.Tools.Version.String()
	case agent.Stage:
		return "stage " + e.Order.Tools.Version.String() + ", and leave " + strings.Join(e.InUse, " ")
	case agent.Test:
		return "test " + e.Order.Tools.Version.String()
	case agent.Switch:
		return "switch the link to " + e.Order.Tools.Version.String()
	case agent.Drop:
		return "stop working on the order"
	case agent.TakeSteps:
		if e.Freely {
			return "take the upgrade steps, all of them"
		}
		return "take the upgrade steps, up to the first that cannot be undone"
	case agent.Undo:
		return fmt.Sprintf("let %s undo its upgrade steps, down to %s", e.By, e.To)
	case agent.Prove:
		return fmt.Sprintf("prove to be healthy for %v", e.Order.Window)
	case agent.Vouch:
		return "say healthy to the launcher, for " + e.Order
	case agent.Restart:
		return "end, to be started anew"
	case agent.Collect:
		return "remove all versions but " + strings.Join(e.Keep, " ")
	}
	panic(fmt.Sprintf("%T is told in no words", e))
}

// journal is what a start finds, in words: what is empty is left out.
func journal(j install.Journal) string {
	said := []string{}
	say := func(is bool, format string, args ...any) {
		if is {
			said = append(said, fmt.Sprintf(format, args...))
		}
	}
	say(j.Phase == install.PhaseIdle, "idle")
	if j.Order != nil {
		say(true, "%s %s to %s", j.Phase, j.Order.ID, j.Order.Tools.Version.Number)
	}
	say(j.Restart != "", "restart %s", j.Restart)
	say(true, "seen to %d", j.Seq)
	say(j.Good != "", "good %s", j.Good)
	say(j.NoReturn != "", "no way back since %q", j.NoReturn)
	say(j.Unproven != "", "unproven since %q", j.Unproven)
	for _, digest := range slices.Sorted(maps.Keys(j.Denied)) {
		say(true, "denies %s…", digest[:4])
	}
	for _, request := range slices.Sorted(maps.Keys(j.Used)) {
		say(true, "did %s", request)
	}
	return strings.Join(said, "; ")
}

// report is what the centre hears, in words.
func report(r events.Report) string {
	text := r.Kind()
	if o, ok := r.(events.OrderReport); ok {
		text += " " + o.OrderID()
	}
	blame := func(f events.Failure) string {
		said := fmt.Sprintf(": %s, cause %s, at %s: %s", f.Code, f.Cause, f.Step, f.Text)
		if f.Denied.SHA256 != "" {
			said += " (from now on denied here)"
		}
		return said
	}
	switch r := r.(type) {
	case *events.AgentUpgradeFailed:
		text += blame(r.Failure)
	case *events.AgentRolledBack:
		text += ", runs " + r.Version.String() + blame(r.Failure)
	case *events.AgentUpgraded:
		text += ", runs " + r.Version.String()
	case *events.AgentRestarting:
		text += fmt.Sprintf(", from %s to %s", r.From, r.To)
	case *events.AgentDownloading:
		text += fmt.Sprintf(", %d %%", r.Percent)
	case *events.AgentStepping:
		text += fmt.Sprintf(", no way back behind %q of %s", r.Step, r.Release)
	case *events.OrderRefused:
		text += fmt.Sprintf(" %s %s: %s: %s", r.Record, r.Order, r.Code, r.Text)
	}
	return text
}

// judged is what the launcher leaves on the disk: the version is kept, or taken back.
func (m *machine) judged(taken *events.Failure) {
	if taken != nil {
		m.disk = trial.RolledBack(m.disk, *taken)
		return
	}
	kept, ok := trial.Kept(m.disk, m.disk.Order.ID)
	if !ok {
		panic("there is no trial that the launcher could judge")
	}
	m.disk, m.kept = kept, kept
}

var scenarioTime = time.Date(2015, 6, 1, 12, 0, 0, 0, time.UTC)
