package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent"
)

func (o *options) renewCommand() *cobra.Command {
	return &cobra.Command{
		Use: "renew", Short: "Ask for new credentials for this machine.", Args: noArgs,
		Long: `Ask the state server for new credentials for this machine, also when the old ones have
ended. The agent does so by itself, after half of their life; this tells at once what
becomes of it. An agent that runs takes the new ones with its next connection.`,
		Example: "  jujud renew --data-dir /var/lib/juju",
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := agent.LoadConf(o.dataDir)
			if err != nil {
				return err
			}
			life, err := o.renew(cmd.Context(), conf)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s has credentials until %s\n", conf.Tag, life.Ends.UTC().Format(time.RFC3339))
			return err
		},
	}
}
