package environment

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// listEnvironments is `juju environments`.
type listEnvironments struct {
	app    *app.App
	format string
}

func (c *listEnvironments) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "environments", Short: "List the environments that this client knows", Args: cobra.NoArgs,
		Long:    "List the environments that this client has credentials for. The current one has a star.",
		Example: "  juju environments\n  juju environments --format json",
		RunE:    func(*cobra.Command, []string) error { return c.run() },
	}
	cmd.Flags().StringVar(&c.format, "format", "tabular", "tabular or json")
	return cmd
}

func (c *listEnvironments) run() error {
	names, err := c.app.Store().Names()
	if err != nil {
		return err
	}
	current := c.app.ChosenName()
	switch c.format {
	case "json":
		return json.NewEncoder(c.app.Stdout).Encode(map[string]any{"current": current, "environments": names})
	case "tabular":
	default:
		return app.Usage("format %q is not tabular or json", c.format)
	}
	for _, n := range names {
		star := " "
		if n == current {
			star = "*"
		}
		fmt.Fprintln(c.app.Stdout, star, n)
	}
	if len(names) == 0 {
		c.app.Say("There is none yet; juju bootstrap makes one.")
	}
	return nil
}

// switchTo is `juju switch`.
type switchTo struct{ app *app.App }

func (c *switchTo) command() *cobra.Command {
	return &cobra.Command{
		Use: "switch [NAME]", Short: "Choose the current environment, or show it", Args: cobra.MaximumNArgs(1),
		Long: `Make NAME the environment that commands without -e work on. Without NAME, show which one
it is. While $JUJU_ENV is set it is that one, and nothing is switched.`,
		Example:           "  juju switch\n  juju switch prod",
		ValidArgsFunction: c.app.CompleteEnvironment,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.show()
			}
			return c.run(args[0])
		},
	}
}

func (c *switchTo) show() error {
	name := c.app.ChosenName()
	if name == "" {
		return app.Fail(errors.New("no environment is current"), "", "juju switch NAME")
	}
	_, err := fmt.Fprintln(c.app.Stdout, name)
	return err
}

// run makes an environment the current one, unless $JUJU_ENV would hide that.
func (c *switchTo) run(name string) error {
	if env := c.app.Getenv("JUJU_ENV"); env != "" {
		return app.Fail(fmt.Errorf("$JUJU_ENV names %q, which comes before the current environment", env), "Nothing was changed.", "unset JUJU_ENV")
	}
	if _, err := c.app.Store().Load(name); err != nil {
		return err
	}
	return c.app.Store().MakeCurrent(name)
}
