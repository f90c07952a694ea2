package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
)

// inviteTimeout bounds how long the state server may take to come up.
const inviteTimeout = 2 * time.Minute

func (a *juju) containerInviteCommand() *cobra.Command {
	var m addMachine
	cmd := &cobra.Command{
		Use: "invite", Short: "Make places for machines, if there are none", Args: cobra.NoArgs,
		Long:    "Wait for the state server, and write join tokens for machines whose tokens are missing.",
		Example: "  juju container invite --tokens /join -n 3",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), inviteTimeout)
			defer cancel()
			return a.invite(ctx, m)
		},
	}
	f := cmd.Flags()
	f.StringVar(&m.tokens, "tokens", "/join", "directory of the tokens")
	f.IntVarP(&m.n, "number", "n", 1, "how many machines")
	m.ttl, m.dataDir = 24*time.Hour, "/var/lib/juju"
	return cmd
}

func (a *juju) invite(ctx context.Context, m addMachine) error {
	last := filepath.Join(m.tokens, events.MachineTag(fmt.Sprint(m.n))+".join")
	if _, err := os.Stat(last); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for {
		err := a.with(ctx, func(s *session) error { return s.addMachines(ctx, m) })
		if refused := (app.Refused{}); err == nil || errors.As(err, &refused) {
			return err
		}
		a.Say("Waiting for the state server: %v", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}
