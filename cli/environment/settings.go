package environment

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/wire"
)

// settingsHelp lists the settings for the help of set-env and get-env.
func settingsHelp() string {
	var b strings.Builder
	for _, s := range settings.All {
		fmt.Fprintf(&b, "  %-23s %s (default %q)\n", s.Key, s.Help, s.Default)
	}
	return b.String()
}

// beliefHelp lists the settings that wait for a quorum, with the reasons.
func beliefHelp() string {
	var b strings.Builder
	for _, key := range settings.Belief() {
		fmt.Fprintf(&b, "\n  %-23s %s", key, settings.ChangesBelief(key))
	}
	return b.String()
}

// requester makes signed requests and returns what was decided.
type requester interface {
	Request(ctx context.Context, ask events.Ask) ([]events.Record, error)
}

// setEnv is `juju set-env`.
type setEnv struct{ app *app.App }

func (c *setEnv) command() *cobra.Command {
	return &cobra.Command{
		Use: "set-env KEY=VALUE...", Short: "Change settings of the environment", Args: cobra.MinimumNArgs(1),
		Long: "Change settings of the environment. All of them are changed, or none. The settings are:\n\n" + settingsHelp() +
			"\nagent-version is changed by juju upgrade-juju only. Where juju trust quorum asks for more than one\noperator, these wait for others, " +
			"since they change what is believed:\n" + beliefHelp(),
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
			return session.With(cmd.Context(), c.app, func(s *session.Session) error { return c.run(cmd.Context(), s, set) })
		},
	}
}

func (c *setEnv) run(ctx context.Context, s requester, set map[string]string) error {
	_, err := s.Request(ctx, events.Ask{Action: events.ActionSetEnv, SetEnv: set})
	return err
}

// unsetEnv is `juju unset-env`.
type unsetEnv struct{ app *app.App }

func (c *unsetEnv) command() *cobra.Command {
	return &cobra.Command{
		Use: "unset-env KEY...", Short: "Set settings of the environment back to their defaults", Args: cobra.MinimumNArgs(1),
		Long:    "Set settings of the environment back to their defaults. All of them, or none.",
		Example: "  juju unset-env upgrade-max-in-flight",
		RunE: func(cmd *cobra.Command, args []string) error {
			return session.With(cmd.Context(), c.app, func(s *session.Session) error { return c.run(cmd.Context(), s, args) })
		},
	}
}

func (c *unsetEnv) run(ctx context.Context, s requester, keys []string) error {
	_, err := s.Request(ctx, events.Ask{Action: events.ActionUnsetEnv, UnsetEnv: keys})
	return err
}

// getEnv is `juju get-env`.
type getEnv struct {
	app    *app.App
	format string
}

func (c *getEnv) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "get-env [KEY]", Short: "Show settings of the environment", Args: cobra.MaximumNArgs(1),
		Long:    "Show the settings of the environment that are in force, defaults included, and its agent\nversion. With KEY, the value of that one alone.",
		Example: "  juju get-env\n  juju get-env upgrade-policy\n  juju get-env --format json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.format != "tabular" && c.format != "json" {
				return app.Usage("format %q is not tabular or json", c.format)
			}
			return session.With(cmd.Context(), c.app, func(s *session.Session) error { return c.run(cmd.Context(), s, args) })
		},
	}
	cmd.Flags().StringVar(&c.format, "format", "tabular", "tabular or json")
	return cmd
}

func (c *getEnv) run(ctx context.Context, s interface {
	Environment(context.Context) (wire.EnvironmentInfo, error)
}, only []string,
) error {
	e, err := s.Environment(ctx)
	if err != nil {
		return err
	}
	e.Settings["agent-version"] = e.AgentVersion.String()
	return c.print(e.Settings, only)
}

func (c *getEnv) print(set map[string]string, only []string) error {
	if len(only) == 1 {
		v, ok := set[only[0]]
		if !ok {
			return app.Fail(fmt.Errorf("there is no setting %q", only[0]), "", "juju get-env lists them")
		}
		_, err := fmt.Fprintln(c.app.Stdout, v)
		return err
	}
	if c.format == "json" {
		return json.NewEncoder(c.app.Stdout).Encode(set)
	}
	for _, k := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(c.app.Stdout, "%-23s %s\n", k, set[k])
	}
	return nil
}
