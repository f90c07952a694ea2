package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
)

func (a *juju) versionCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version of this client", Args: cobra.NoArgs,
		Long:    "Print the version of this client, with the series and architecture of this host. The\nversion of the environment is in juju status.",
		Example: "  juju version\n  juju version --format json",
		RunE: func(*cobra.Command, []string) error {
			series, arch := host.Platform()
			v := version.Binary{Number: version.Current(), Series: series, Arch: arch}
			switch format {
			case "smart":
				_, err := fmt.Fprintln(a.Stdout, v)
				return err
			case "json":
				return json.NewEncoder(a.Stdout).Encode(v)
			}
			return app.Usage("format %q is not smart or json", format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "smart", "smart or json")
	return cmd
}
