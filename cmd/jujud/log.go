package main

import (
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/events/logcopy"
	"github.com/jujube-project/jujube/statesrv"
)

func (o *options) logCommand() *cobra.Command {
	return &cobra.Command{
		Use: "log", Short: "Print the log of a state server that is down.", Hidden: true, Args: noArgs,
		Long: `Print a copy of the log of a state server that is down, from its data directory, which is
only read. juju status and juju audit run this when the state server does not answer.`,
		Example: "  jujud log --data-dir /var/lib/juju > log.copy",
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, closeLog, err := statesrv.OpenOffline(cmd.Context(), o.dataDir)
			if err != nil {
				return err
			}
			defer closeLog()
			return logcopy.Write(cmd.Context(), cmd.OutOrStdout(), log)
		},
	}
}
