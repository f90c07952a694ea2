package inspect

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// replay is `juju audit replay`.
type replay struct {
	*reader
	view view
	at   string // empty: now
}

func (c *replay) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replay [PATTERN...]",
		Short: "Show the status as it stood at any moment",
		Long: `Rebuild the status from the log as it stood at a sequence of the log or at a time, in
every format of juju status. Without --at it is the status of now, made from the log
alone.`,
		Example: `  juju audit replay --at 120
  juju audit replay --at '2015-06-01 12:00' --format yaml
  juju audit replay --at 15m web`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view.patterns = args
			if err := c.view.check(); err != nil {
				return app.Usage("%v", err)
			}
			return c.run(cmd.Context())
		},
	}
	c.view.flags(cmd)
	cmd.Flags().StringVar(&c.at, "at", "", "a sequence of the log, or a time")
	return cmd
}

func (c *replay) run(ctx context.Context) error {
	var m moment
	if c.at != "" {
		var err error
		if m, err = parseMoment(c.at, time.Now()); err != nil {
			return app.Usage("%v", err)
		}
	}
	src, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer src.close()
	st, err := src.foldStatus(ctx, m)
	if err != nil {
		return err
	}
	return c.view.write(c.stdout, st)
}
