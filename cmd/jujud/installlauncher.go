package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent/install"
)

func (o *options) installLauncherCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "install-launcher", Short: "Make this jujud the one that the machine's service starts.", Args: noArgs,
		Long: `Replace the installed jujud, which is the launcher and the last resort of this machine,
by this one. Agents are upgraded by orders; the launcher is not, only by this command or by
the operating system's package. The copy is tried, then it takes the old one's place in one
step; the old one stays beside it as jujud.previous. The launcher that runs goes on until
the service is restarted.

Without --to it replaces the program of the launcher that runs on the data directory.`,
		Example: "  /tmp/jujud install-launcher\n  /tmp/jujud install-launcher --to /usr/local/bin/jujud",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				running, err := install.Layout{Dir: o.dataDir}.RunningLauncher()
				if err != nil {
					return err
				}
				to = running
			}
			exe, err := os.Executable()
			if err != nil {
				return err
			}
			if err := install.ReplaceLauncher(cmd.Context(), exe, to); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is the new launcher, from the next start of its service on; the old one is %s\n", to, to+install.PreviousSuffix)
			return err
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the file to replace (default: the program of the running launcher)")
	return cmd
}
