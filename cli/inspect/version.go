package inspect

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
)

// showVersion is `juju version`.
type showVersion struct {
	app    *app.App
	format string
}

func (c *showVersion) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version of this client", Args: cobra.NoArgs,
		Long:    "Print the version of this client, with the series and architecture of this host. The\nversion of the environment is in juju status.",
		Example: "  juju version\n  juju version --format json",
		RunE:    func(*cobra.Command, []string) error { return c.run() },
	}
	cmd.Flags().StringVar(&c.format, "format", "smart", "smart or json")
	return cmd
}

func (c *showVersion) run() error {
	series, arch := host.Platform()
	v := version.Binary{Number: version.Current(), Series: series, Arch: arch}
	switch c.format {
	case "smart":
		_, err := fmt.Fprintln(c.app.Stdout, v)
		return err
	case "json":
		return json.NewEncoder(c.app.Stdout).Encode(v)
	}
	return app.Usage("format %q is not smart or json", c.format)
}
