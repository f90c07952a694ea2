package inspect

import (
	"github.com/spf13/cobra"
)

// auditCommand is the group `juju audit`. Each of its commands has its own reader.
func auditCommand(newReader func() *reader) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Read, replay and verify the log",
		Long: `The log of an environment holds everything that was asked, decided, ordered and
reported, and nothing in it is ever changed. These commands read it, rebuild the status
of any moment from it, and prove that it is whole. They need no state server: when NATS
does not answer either, they read a copy of the log if its files lie on this host.`,
		Example: `  juju audit log --machine 3
  juju audit replay --at 120
  juju audit verify
  juju audit checkpoint > today.checkpoint`,
	}
	cmd.AddCommand((&auditLog{reader: newReader()}).command(), (&replay{reader: newReader()}).command(),
		(&verify{reader: newReader()}).command(), (&checkpoint{reader: newReader()}).command())
	return cmd
}
