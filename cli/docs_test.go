package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Every line of juju that a document shows can be typed: as a line of a block, after "$ " or
// not, or among the words of a sentence.
func TestEveryLineOfTheDocsParses(t *testing.T) {
	for _, file := range documents(t) {
		lines, words := jujuLines(t, file)
		for _, line := range lines {
			if err := parses(line); err != nil {
				t.Errorf("%s: %q: %v", file, line, err)
			}
		}
		for _, line := range words {
			if err := parses(line); err != nil && !namesACommand(line) {
				t.Errorf("%s: %q: %v", file, line, err)
			}
		}
	}
}

func documents(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../docs/tasks/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

var (
	block   = regexp.MustCompile("(?ms)^ *```.*?\n(.*?)^ *```$")
	typed   = regexp.MustCompile(`^juju [a-z-]`)
	inCode  = regexp.MustCompile("`(juju\\s[^`]+)`")
	comment = regexp.MustCompile(`\s+(#|>|\||&&|2>).*$`)
)

// jujuLines are the lines of a document's blocks, and what stands in code in its sentences.
func jujuLines(t *testing.T, file string) (lines, words []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(strings.ReplaceAll(m[1], "\\\n", " ")) {
			line = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(line), "$ "), "sudo ")
			if typed.MatchString(line) {
				lines = append(lines, comment.ReplaceAllString(line, ""))
			}
		}
	}
	for _, m := range inCode.FindAllStringSubmatch(block.ReplaceAllString(string(text), ""), -1) {
		words = append(words, strings.Join(strings.Fields(m[1]), " "))
	}
	return lines, words
}

// namesACommand says that a line is the name of a command alone, as a sentence has it:
// "`juju remove-machine` cuts it off".
func namesACommand(line string) bool {
	found, rest, err := bareRoot().Find(strings.Fields(line)[1:])
	return err == nil && len(rest) == 0 && found.HasParent()
}

// parses lets the command read its line, and runs nothing.
func parses(line string) error {
	root := bareRoot()
	root.InitDefaultHelpCmd()
	found, rest, err := root.Find(strings.Fields(line)[1:])
	if err != nil {
		return err
	}
	if found.Name() == "help" && len(rest) > 0 {
		return explained(root, rest)
	}
	if found == root && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return fmt.Errorf("there is no command %q", rest[0])
	}
	if err := found.ParseFlags(withValues(found.Flags(), rest)); err != nil {
		return err
	}
	return found.ValidateArgs(found.Flags().Args())
}

// explained says whether juju has a text about a topic or a command.
func explained(root *cobra.Command, words []string) error {
	if slices.ContainsFunc(topics, func(t topic) bool { return t.name == words[0] }) || words[0] == "topics" {
		return nil
	}
	found, rest, err := root.Find(words)
	if err != nil || found == root || len(rest) > 0 {
		return fmt.Errorf("no help about %q", words)
	}
	return nil
}

var placeholder = regexp.MustCompile(`^[A-Z][A-Z|-]*$`)

// withValues puts a value for each placeholder of a flag, `--ttl TIME`, that is no text.
func withValues(flags *pflag.FlagSet, args []string) []string {
	args = slices.Clone(args)
	for i := 1; i < len(args); i++ {
		f := flags.Lookup(strings.TrimPrefix(args[i-1], "--"))
		if f != nil && placeholder.MatchString(args[i]) && !strings.HasPrefix(f.Value.Type(), "string") {
			args[i] = f.DefValue
		}
	}
	return args
}
