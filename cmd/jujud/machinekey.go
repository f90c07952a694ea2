package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
)

func (o *options) machineKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "machine-key", Short: "Print the public key of this machine.", Args: noArgs,
		Long: `Print the public key of this machine. It is no secret. An operator who seals the
environment of a unit for this machine compares it, or names it with --machine-key, where
the log does not prove it.`,
		Example: "  jujud machine-key --data-dir /var/lib/juju",
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := agent.LoadConf(o.dataDir)
			if err != nil {
				return err
			}
			creds, err := bus.LoadCredentials(conf.CredentialsFile())
			if err != nil {
				return err
			}
			id, err := creds.Identity()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), id.Public())
			return err
		},
	}
}
