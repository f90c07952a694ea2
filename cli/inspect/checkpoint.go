package inspect

import (
	"context"

	"github.com/spf13/cobra"
)

// checkpoint is `juju audit checkpoint`.
type checkpoint struct{ *reader }

func (c *checkpoint) command() *cobra.Command {
	return &cobra.Command{
		Use:   "checkpoint",
		Short: "Print a signed checkpoint of the log, to carry away",
		Long: `Print the newest checkpoint of the log: how many records there are and the root over
them, signed by the state server's log key. Kept where nobody of this environment can
write, it holds whoever keeps the log to what lies in it today: juju audit verify --from
finds out whether anything of it was taken away, changed or put in another order.`,
		Example: `  juju audit checkpoint > $(date +%F).checkpoint`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
}

// run prints the newer of two checkpoints: the one that is kept beside the log, and the one that
// this client believed last. The second can be newer, because a state server answers with a
// checkpoint a moment before it writes it beside the log.
func (c *checkpoint) run(ctx context.Context) error {
	src, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer src.close()
	if src.witness.Blind() {
		return errNoLogKey
	}
	note, err := src.signed(ctx)
	if err != nil {
		return err
	}
	newest, err := src.witness.Open(note)
	if err != nil {
		return err
	}
	if seen := src.witness.Seen(); seen.Size > newest.Size {
		newest = seen
	}
	_, err = c.stdout.Write(newest.Note)
	return err
}
