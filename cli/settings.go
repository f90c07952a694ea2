package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
)

// settingsHelp lists the settings for the help of set-env and get-env.
func settingsHelp() string {
	var b strings.Builder
	for _, s := range settings.All {
		fmt.Fprintf(&b, "  %-23s %s (default %q)\n", s.Key, s.Help, s.Default)
	}
	return b.String()
}

func (a *juju) setEnvCommand() *cobra.Command {
	return &cobra.Command{
		Use: "set-env KEY=VALUE...", Short: "Change settings of the environment", Args: cobra.MinimumNArgs(1),
		Long:    "Change settings of the environment. All of them are changed, or none. The settings are:\n\n" + settingsHelp() + "\nagent-version is changed by juju upgrade-juju only.",
		Example: "  juju set-env upgrade-max-in-flight=5 upgrade-health-window=30s",
		RunE: func(cmd *cobra.Command, args []string) error {
			set := map[string]string{}
			for _, arg := range args {
				k, v, ok := strings.Cut(arg, "=")
				if !ok || k == "" {
					return app.Usage("%q is not KEY=VALUE", arg)
				}
				set[k] = v
			}
			return a.with(cmd.Context(), func(s *session) error {
				_, err := s.Request(cmd.Context(), events.Ask{Action: events.ActionSetEnv, SetEnv: set})
				return err
			})
		},
	}
}

func (a *juju) unsetEnvCommand() *cobra.Command {
	return &cobra.Command{
		Use: "unset-env KEY...", Short: "Set settings of the environment back to their defaults", Args: cobra.MinimumNArgs(1),
		Long:    "Set settings of the environment back to their defaults. All of them, or none.",
		Example: "  juju unset-env upgrade-max-in-flight",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(s *session) error {
				_, err := s.Request(cmd.Context(), events.Ask{Action: events.ActionUnsetEnv, UnsetEnv: args})
				return err
			})
		},
	}
}

func (a *juju) getEnvCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "get-env [KEY]", Short: "Show settings of the environment", Args: cobra.MaximumNArgs(1),
		Long:    "Show the settings of the environment that are in force, defaults included, and its agent\nversion. With KEY, the value of that one alone.",
		Example: "  juju get-env\n  juju get-env upgrade-policy\n  juju get-env --format json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "tabular" && format != "json" {
				return app.Usage("format %q is not tabular or json", format)
			}
			return a.with(cmd.Context(), func(s *session) error {
				e, err := s.Environment(cmd.Context())
				if err != nil {
					return err
				}
				e.Settings["agent-version"] = e.AgentVersion.String()
				return a.printSettings(e.Settings, args, format)
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "tabular", "tabular or json")
	return cmd
}

func (a *juju) printSettings(set map[string]string, only []string, format string) error {
	if len(only) == 1 {
		v, ok := set[only[0]]
		if !ok {
			return app.Fail(fmt.Errorf("there is no setting %q", only[0]), "", "juju get-env lists them")
		}
		_, err := fmt.Fprintln(a.Stdout, v)
		return err
	}
	if format == "json" {
		return json.NewEncoder(a.Stdout).Encode(set)
	}
	keys := make([]string, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(a.Stdout, "%-23s %s\n", k, set[k])
	}
	return nil
}
