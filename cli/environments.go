package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *App) environmentsCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "environments", Short: "List the environments that this client knows", Args: cobra.NoArgs,
		Long:    "List the environments that this client has credentials for. The current one has a star.",
		Example: "  juju environments\n  juju environments --format json",
		RunE: func(*cobra.Command, []string) error {
			names, err := a.names()
			if err != nil {
				return err
			}
			return a.printEnvironments(names, format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "tabular", "tabular or json")
	return cmd
}

func (a *App) printEnvironments(names []string, format string) error {
	current := a.chosenName()
	switch format {
	case "json":
		return json.NewEncoder(a.Stdout).Encode(map[string]any{"current": current, "environments": names})
	case "tabular":
	default:
		return usage("format %q is not tabular or json", format)
	}
	for _, n := range names {
		star := " "
		if n == current {
			star = "*"
		}
		fmt.Fprintln(a.Stdout, star, n)
	}
	if len(names) == 0 {
		a.say("There is none yet; juju bootstrap makes one.")
	}
	return nil
}

func (a *App) switchCommand() *cobra.Command {
	return &cobra.Command{
		Use: "switch [NAME]", Short: "Choose the current environment, or show it", Args: cobra.MaximumNArgs(1),
		Long: `Make NAME the environment that commands without -e work on. Without NAME, show which one
it is. While $JUJU_ENV is set it is that one, and nothing is switched.`,
		Example:           "  juju switch\n  juju switch prod",
		ValidArgsFunction: a.completeEnvironment,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				if a.chosenName() == "" {
					return fail(errors.New("no environment is current"), "", "juju switch NAME")
				}
				_, err := fmt.Fprintln(a.Stdout, a.chosenName())
				return err
			}
			if name := a.Getenv("JUJU_ENV"); name != "" {
				return fail(fmt.Errorf("$JUJU_ENV names %q, which comes before the current environment", name), "Nothing was changed.", "unset JUJU_ENV")
			}
			if _, err := a.loadEnvironment(args[0]); err != nil {
				return err
			}
			return a.makeCurrent(args[0])
		},
	}
}

// completeEnvironment offers the names of environments to the shell.
func (a *App) completeEnvironment(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names, err := a.names()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// named is the environment that the arguments or -e name. To make or destroy one, it is
// not enough that it is current.
func (a *App) named(args []string) (string, error) {
	switch {
	case len(args) == 0:
		return a.environment, nil
	case a.environment != "" && a.environment != args[0]:
		return "", usage("two environments are named, %q and %q", args[0], a.environment)
	}
	return args[0], nil
}
