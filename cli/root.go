// Package cli is juju's command line: Main, the root command with the flags that every
// command has, help topics, completion, and exit codes.
//
// The commands themselves are in the packages of their families below this one: environment,
// inspect, machines, tools, trust and upgrade. Each gives its Commands, and none imports
// another; what two of them need is in app, session, signing or local. A command reads what
// it needs, says what it will do and why, asks the state server by a signed request, and
// shows what was decided. Flags and environment variables are read here and nowhere else.
package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/environment"
	"github.com/jujube-project/jujube/cli/inspect"
	"github.com/jujube-project/jujube/cli/machines"
	"github.com/jujube-project/jujube/cli/tools"
	"github.com/jujube-project/jujube/cli/trust"
	"github.com/jujube-project/jujube/cli/upgrade"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections/plain"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// Main runs the command line and returns the exit code: 0 well, 1 an error, 2 a wrong
// command line.
//
// What is printed contains names that hosts and other people have chosen. Package plain makes their
// control characters harmless: everything on stdout and every message goes through it.
//
// extra are commands that the client that people install does not have.
func Main(ctx context.Context, a *app.App, extra ...Extra) int {
	a.Screen, a.Stdout = a.Stdout, plain.NewWriter(a.Stdout)
	root := newRoot(a, extra)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	a.Explain(err)
	if errors.Is(err, app.ErrUsage) {
		return exitUsage
	}
	return exitError
}

// Extra makes a command that only some builds of juju have.
type Extra func(*app.App) *cobra.Command

// newRoot makes the root command with all commands below it.
func newRoot(a *app.App, extra []Extra) *cobra.Command {
	root := &cobra.Command{
		Use:   "juju",
		Short: "Upgrade the agents of a whole environment, safely.",
		Long: `juju asks an environment for things: to be made, to have machines, to hold tools, to be
upgraded to another version of the server software. The state server decides, the
machines' agents follow, and everything is an event in a log that can be replayed.

Begin with:

  juju bootstrap               make an environment on this host
  juju add-machine --local     let it have another machine
  juju status                  see it
  juju upgrade-juju --dry-run  see what an upgrade would do

"juju help topics" lists texts on how it works, "juju help COMMAND" explains a command.`,
		Example:       "  juju bootstrap prod\n  juju status\n  juju upgrade-juju --wait",
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetArgs(a.Args)
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	addVersionFlag(root)
	a.AddFlags(root.PersistentFlags())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return app.Usage("%v; %s shows the flags", err, helpFor(cmd))
	})
	root.AddCommand(slices.Concat(
		environment.Commands(a, machines.InviteCommand(a)), inspect.Commands(a), machines.Commands(a),
		tools.Commands(a), trust.Commands(a), upgrade.Commands(a),
	)...)
	for _, command := range extra {
		root.AddCommand(command(a))
	}
	root.SetHelpCommand(helpCommand(a))
	root.InitDefaultCompletionCmd(a.Args...)
	explainCompletion(root)
	strict(root)
	if err := root.RegisterFlagCompletionFunc("environment", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.CompleteEnvironment(cmd, nil, "")
	}); err != nil {
		panic(err) // the flag is defined above
	}
	return root
}

// addVersionFlag is cobra's flag --version without cobra's template: text/template calls
// methods by their names, so that the linker has to keep every exported method of the program.
// That made juju larger by 4 MB.
func addVersionFlag(root *cobra.Command) {
	asked := root.Flags().BoolP("version", "v", false, "version for "+root.Name())
	root.Args, root.DisableFlagsInUseLine = cobra.ArbitraryArgs, true
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if *asked {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version.Current())
			return err
		}
		return onlySubcommands(cmd, args)
	}
}

// strict makes two mistakes an error of usage (exit code 2), for a command and all below it: a wrong
// number of arguments, and the name of a command that does not exist.
func strict(cmd *cobra.Command) {
	cmd.SuggestionsMinimumDistance = 2
	if cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.Args, cmd.RunE, cmd.DisableFlagsInUseLine = cobra.ArbitraryArgs, onlySubcommands, true
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return app.Usage("%v; %s shows how it is used", err, helpFor(cmd))
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
}

// onlySubcommands runs a command that is only a group of others: it shows the group's help, or
// says which command does not exist.
func onlySubcommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	hint := helpFor(cmd) + " lists them"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %s %s?", cmd.CommandPath(), strings.Join(near, " or "+cmd.CommandPath()+" "))
	}
	return app.Usage("%s has no command %q; %s", cmd.CommandPath(), args[0], hint)
}

// helpFor is what to type for the help of a command.
func helpFor(cmd *cobra.Command) string {
	return strings.Replace(cmd.CommandPath(), "juju", "juju help", 1)
}

// explainCompletion gives the command completion, which cobra makes, a text and examples of juju's.
func explainCompletion(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Short = "Let your shell complete juju's commands and names"
		cmd.Example = "  source <(juju completion bash)\n  juju completion zsh > \"${fpath[1]}/_juju\""
		for _, shell := range cmd.Commands() {
			shell.Example = "  juju completion " + shell.Name()
		}
	}
}
