package jujube_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are what people read. Decisions (docs/adr) and measurements speak of the day on
// which they were made, and what is generated is checked by what generates it.
func documents(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/tasks/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return slices.DeleteFunc(files, func(f string) bool { return slices.Contains(datedOrGenerated, f) })
}

var datedOrGenerated = []string{"docs/BENCHMARKS.md", "docs/EVENTS.md", "docs/LIMITS.md"}

// Everything that a document sets in code exists.
func TestDocsNameWhatExists(t *testing.T) {
	x, err := indexed()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range documents(t) {
		for _, span := range spansOf(t, file) {
			if !x.known(span) {
				t.Errorf("%s: `%s`: there is no such name, code, file, package, target or script", file, span)
			}
		}
	}
}

var (
	fence     = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	generated = regexp.MustCompile("(?s)<!-- the table .*?<!-- end of the table [^>]*>")
	inCode    = regexp.MustCompile("`([^`]+)`")
	space     = regexp.MustCompile(`\s+`)
)

// spansOf are the words of a document that are set in code, each once, and its lines of go and
// make.
func spansOf(t *testing.T, file string) (spans []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range fence.FindAllString(string(text), -1) {
		for line := range strings.Lines(block) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
			if strings.HasPrefix(line, "go ") || strings.HasPrefix(line, "make ") {
				spans = append(spans, strings.TrimSpace(line))
			}
		}
	}
	prose := generated.ReplaceAllString(fence.ReplaceAllString(string(text), ""), "")
	for _, paragraph := range strings.Split(prose, "\n\n") {
		for _, span := range inCode.FindAllStringSubmatch(paragraph, -1) {
			spans = append(spans, space.ReplaceAllString(span[1], " "))
		}
	}
	slices.Sort(spans)
	return slices.Compact(spans)
}

var (
	word        = regexp.MustCompile(`^\$?-{0,2}([A-Za-z_][\w.-]*)(\(\)|=.*)?$`)
	target      = regexp.MustCompile(`(?m)^([a-z-]+):`)
	placeholder = regexp.MustCompile(`^(NAME|machine-N)\.`)
	prefix      = regexp.MustCompile(`^((?:Test|Fuzz)\w+)…$`)
)

// known says whether what a document sets in code is there. What is no single word, no path
// of this repository and no command is not looked at.
func (x *index) known(span string) bool {
	words := strings.Fields(span)
	switch {
	case words[0] == "juju" && len(words) > 1:
		return true // cli's own test lets the command read it
	case words[0] == "jujud" && len(words) > 1:
		return x.words[words[1]] || x.words[strings.TrimLeft(words[1], "-")]
	case words[0] == "make" && len(words) > 1:
		makefile, err := os.ReadFile("Makefile")
		return err == nil && slices.ContainsFunc(target.FindAllStringSubmatch(string(makefile), -1), func(m []string) bool { return m[1] == words[1] })
	case words[0] == "go" || len(words) > 1:
		return !slices.ContainsFunc(words, func(w string) bool {
			test := testName.FindString(w)
			return strings.HasPrefix(w, "./") && !exists(w) || test != "" && !x.hasPrefix(test)
		})
	case strings.Contains(span, "/") && ofRepository(span):
		return exists(span)
	}
	if m := prefix.FindStringSubmatch(span); m != nil {
		return x.hasPrefix(m[1])
	}
	if m := word.FindStringSubmatch(placeholder.ReplaceAllString(span, "")); m != nil {
		return x.has(m[1]) || x.words[m[1]] || x.words["."+m[1]] || x.words[span] || x.files[m[1]] || outside[span] != ""
	}
	return true
}

func (x *index) hasPrefix(name string) bool {
	for n := range x.names {
		if strings.HasPrefix(n, name) {
			return true
		}
	}
	return false
}

// hasFile says whether there is a file of that name, in which stars may stand.
func (x *index) hasFile(pattern string) bool {
	for name := range x.files {
		if ok, _ := filepath.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

// ofRepository says that a path begins with a directory of this repository.
func ofRepository(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != "." && first != ".." && first != "" && exists(first)
}

func exists(path string) bool {
	_, err := os.Stat(strings.TrimSuffix(path, "/..."))
	return err == nil
}

// outside are words that are nowhere in the code, and what they are.
var outside = map[string]string{
	"ARGS=-servers":    "a variable of the Makefile",
	"KillMode=process": "a word of systemd",
	"strkey.go":        "a file of nkeys",
	"events.go":        "a file of nats-server",
}

// A link leads somewhere.
func TestDocsLinkToWhatExists(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#: ]+)(?:#[^)]*)?\)`)
	for _, file := range append(documents(t), datedOrGenerated...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if !exists(filepath.Join(filepath.Dir(file), m[1])) {
				t.Errorf("%s links to %s, which is not there", file, m[1])
			}
		}
	}
}

// A test that finds nothing would not be one.
func TestDocsFindWhatIsMissing(t *testing.T) {
	x, err := indexed()
	if err != nil {
		t.Fatal(err)
	}
	for span, there := range map[string]bool{
		"projections.State.Fold": true, "projections.State.Unfold": false,
		"State.Fold": true, "time.Now": true, "time.Then": false,
		"order.issued": true, "order.forgotten": false,
		"agent.conf": true, "agent.config": false,
		"TestLawOfCalls": true, "TestLawOfNothing": false, "TestLawOf…": true, "TestLow…": false,
		"agent/install": true, "agent/deinstall": false, "agent/install/doc.go": true,
		"make check": true, "make money": false,
		"go test ./events/version": true, "go test ./events/verses": false, "go test . -run TestLawOfNothing": false,
		"jujud machine": true, "jujud person": false,
		"upgrade-max-in-flight": true, "upgrade-max-in-air": false, "--dry-run": true, "--wet-run": false,
		"/var/lib/juju": true, "two words": true,
	} {
		if x.known(span) != there {
			t.Errorf("`%s`: known %v, want %v", span, !there, there)
		}
	}
	comment := "[Choose] and [Chose] of version.Number, not version.Numeral; TestChoose in choose.go"
	got := append(linksIn(x, "version", comment), namesIn(x, comment)...)
	if want := []string{"Choose", "version.Chose", "version.Number", "version.Numeral", "TestChoose", "choose.go"}; !slices.Equal(got, want) {
		t.Errorf("names in a comment: %q, want %q", got, want)
	}
}
