package environment

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

func environmentsCommand(a *app.App) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "environments", Short: "List the environments that this client knows", Args: cobra.NoArgs,
		Long:    "List the environments that this client has credentials for. The current one has a star.",
		Example: "  juju environments\n  juju environments --format json",
		RunE: func(*cobra.Command, []string) error {
			names, err := a.Store().Names()
			if err != nil {
				return err
			}
			return printEnvironments(a, names, format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "tabular", "tabular or json")
	return cmd
}

func printEnvironments(a *app.App, names []string, format string) error {
	current := a.ChosenName()
	switch format {
	case "json":
		return json.NewEncoder(a.Stdout).Encode(map[string]any{"current": current, "environments": names})
	case "tabular":
	default:
		return app.Usage("format %q is not tabular or json", format)
	}
	for _, n := range names {
		star := " "
		if n == current {
			star = "*"
		}
		fmt.Fprintln(a.Stdout, star, n)
	}
	if len(names) == 0 {
		a.Say("There is none yet; juju bootstrap makes one.")
	}
	return nil
}

func switchCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "switch [NAME]", Short: "Choose the current environment, or show it", Args: cobra.MaximumNArgs(1),
		Long: `Make NAME the environment that commands without -e work on. Without NAME, show which one
it is. While $JUJU_ENV is set it is that one, and nothing is switched.`,
		Example:           "  juju switch\n  juju switch prod",
		ValidArgsFunction: a.CompleteEnvironment,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				if a.ChosenName() == "" {
					return app.Fail(errors.New("no environment is current"), "", "juju switch NAME")
				}
				_, err := fmt.Fprintln(a.Stdout, a.ChosenName())
				return err
			}
			if name := a.Getenv("JUJU_ENV"); name != "" {
				return app.Fail(fmt.Errorf("$JUJU_ENV names %q, which comes before the current environment", name), "Nothing was changed.", "unset JUJU_ENV")
			}
			if _, err := a.Store().Load(args[0]); err != nil {
				return err
			}
			return a.Store().MakeCurrent(args[0])
		},
	}
}
