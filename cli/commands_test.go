package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/sim/demo"
)

// run runs juju in this process, with a store of its own.
func run(t *testing.T, data, line string, env ...string) (code int, stdout, stderr string) {
	t.Helper()
	vars := map[string]string{"JUJU_DATA": data}
	for _, kv := range env {
		k, v, _ := strings.Cut(kv, "=")
		vars[k] = v
	}
	var out, errs bytes.Buffer
	a := &app.App{
		Args: strings.Fields(line), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv: func(key string) string { return vars[key] },
	}
	code = Main(context.Background(), a, extra...)
	return code, out.String(), errs.String()
}

// each visits every command of the tree.
func each(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, sub := range cmd.Commands() {
		each(sub, f)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	each(bareRoot(), func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s lacks a short text, a long one or an example", path)
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s does not explain --%s", path, f.Name)
			}
		})
		code, out, errs := run(t, t.TempDir(), "help "+strings.TrimPrefix(path, "juju"))
		if code != exitOK || errs != "" || !strings.Contains(out, strings.TrimSpace(cmd.Example)) {
			t.Errorf("juju help %s: exit %d, %s%s", path, code, out, errs)
		}
	})
}

// An example that cannot be typed is worse than none: every one is a command of this
// program, with flags and a number of arguments that it takes.
func TestEveryExampleParses(t *testing.T) {
	each(bareRoot(), func(cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Example) {
			words := strings.Fields(line)
			if len(words) == 0 || words[0] != "juju" {
				continue
			}
			line, _, _ := strings.Cut(strings.TrimSpace(line), " > ")
			line, _, _ = strings.Cut(line, " | ")
			if err := parses(line); err != nil {
				t.Errorf("%s: %q: %v", cmd.CommandPath(), line, err)
			}
		}
	})
}

// extra are the commands of a build from source, which documents show, too.
var extra = []Extra{demo.Command, demo.WorkloadCommand}

// bareRoot is juju's root command, outside of any environment.
func bareRoot() *cobra.Command {
	return newRoot(&app.App{Getenv: func(string) string { return "" }}, extra)
}

func TestEveryTopicIsListedAndShown(t *testing.T) {
	_, list, _ := run(t, t.TempDir(), "help topics")
	for _, topic := range topics {
		if !strings.Contains(list, topic.name) {
			t.Errorf("juju help topics does not list %s", topic.name)
		}
		if code, out, _ := run(t, t.TempDir(), "help "+topic.name); code != exitOK || !strings.Contains(out, topic.text) {
			t.Errorf("juju help %s: exit %d, %q", topic.name, code, out)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		line string
		code int
		says string
	}{
		{"", exitOK, ""},
		{"version", exitOK, ""},
		{"--version", exitOK, ""},
		{"environments", exitOK, "juju bootstrap makes one"},
		{"environments --quiet", exitOK, ""},
		{"completion bash", exitOK, ""},

		{"status", exitError, "no environment was named"},
		{"switch", exitError, "no environment is current"},
		{"switch nowhere", exitError, `no environment "nowhere" here`},
		{"-e nowhere upgrade-juju", exitError, `no environment "nowhere" here`},
		{"-e ../secret get-env", exitError, "is no name of an environment"},
		{"destroy-environment nowhere --yes", exitError, `no environment "nowhere" here`},

		{"frobnicate", exitUsage, `juju has no command "frobnicate"; juju help lists them`},
		{"statsu", exitUsage, "did you mean juju status?"},
		{"audit lgo", exitUsage, "did you mean juju audit log?"},
		{"metadata frobnicate", exitUsage, "juju help metadata lists them"},
		{"completion tcsh", exitUsage, `no command "tcsh"`},
		{"help nonsense", exitUsage, "neither a command nor a topic"},
		{"--frobnicate", exitUsage, "unknown flag: --frobnicate; juju help shows the flags"},
		{"audit log --frobnicate", exitUsage, "juju help audit log shows the flags"},
		{"status --timeout soon", exitUsage, "invalid argument"},
		{"status -e", exitUsage, "flag needs an argument"},
		{"environments --format xml", exitUsage, "not tabular or json"},
		{"get-env --format xml", exitUsage, "not tabular or json"},
		{"version --format xml", exitUsage, "not smart or json"},
		{"switch a b", exitUsage, "juju help switch"},
		{"destroy-environment", exitUsage, "name the environment"},
		{"destroy-environment a -e b", exitUsage, "two environments are named"},
		{"bootstrap bad/name", exitUsage, "no name of an environment"},
		{"bootstrap --port 99999", exitUsage, "port 99999"},
		{"bootstrap --agent-version banana", exitUsage, "--agent-version"},
		{"bootstrap --host ::", exitUsage, "--advertise"},
		{"bootstrap --nats-url tls://h:1 --port 5", exitUsage, "belong to the one inside jujud"},
		{"add-machine -n 0", exitUsage, "1 to 200"},
		{"add-machine --ttl 0s", exitUsage, "--ttl"},
		{"add-machine --local --save-tokens x", exitUsage, "give one of them"},
		{"remove-machine", exitUsage, "juju help remove-machine"},
		{"remove-machine 1 nine", exitUsage, `"nine" is no machine`},
		{"resolved", exitUsage, "juju help resolved"},
		{"resolved nine", exitUsage, `"nine" is no machine`},
		{"deploy web", exitUsage, "juju help deploy"},
		{"deploy web -- true", exitUsage, "--to names the machine"},
		{"deploy web --to 1 --env X -- true", exitUsage, "not KEY=VALUE"},
		{"add-unit", exitUsage, "juju help add-unit"},
		{"add-unit web", exitUsage, "--to names the machine"},
		{"remove-unit", exitUsage, "juju help remove-unit"},
		{"remove-service", exitUsage, "juju help remove-service"},
		{"restart-agent", exitUsage, "name the agents"},
		{"restart-agent 1 --all", exitUsage, "name the agents"},
		{"set-env novalue", exitUsage, "not KEY=VALUE"},
		{"set-env", exitUsage, "juju help set-env"},
		{"unset-env", exitUsage, "juju help unset-env"},
		{"get-env a b", exitUsage, "juju help get-env"},
	} {
		code, _, errs := run(t, t.TempDir(), c.line)
		if code != c.code || !strings.Contains(errs, c.says) || (c.says == "") != (errs == "") {
			t.Errorf("juju %s: exit %d, want %d; it says %q, want %q", c.line, code, c.code, errs, c.says)
		}
	}
}

func TestCompletionKnowsEnvironments(t *testing.T) {
	data := t.TempDir()
	a := &app.App{Getenv: func(key string) string { return map[string]string{"JUJU_DATA": data}[key] }}
	if err := a.Store().Add(app.Environment{Name: "prod", UUID: "u"}); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"__complete switch p", "__complete destroy-environment p", "__complete status -e p"} {
		if _, out, _ := run(t, data, line); !strings.HasPrefix(out, "prod\n") {
			t.Errorf("%s offers %q", line, out)
		}
	}
}
