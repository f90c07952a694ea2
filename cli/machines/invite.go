package machines

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
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
)

// inviteTimeout bounds how long the state server may take to come up.
const inviteTimeout = 2 * time.Minute

// InviteCommand is `juju container invite`: it makes places for the machines of
// docker-compose.yml and writes their join tokens into files.
func InviteCommand(a *app.App) *cobra.Command {
	m := &addMachine{app: a, ttl: 24 * time.Hour, dataDir: "/var/lib/juju"}
	cmd := &cobra.Command{
		Use: "invite", Short: "Make places for machines, if there are none", Args: cobra.NoArgs,
		Long:    "Wait for the state server, and write join tokens for machines whose tokens are missing.",
		Example: "  juju container invite --tokens /join -n 3",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), inviteTimeout)
			defer cancel()
			return m.invite(ctx)
		},
	}
	f := cmd.Flags()
	f.StringVar(&m.tokens, "tokens", "/join", "directory of the tokens")
	f.IntVarP(&m.n, "number", "n", 1, "how many machines")
	return cmd
}

// invite asks again and again until a state server answers; a refusal ends it. It does nothing if
// the token of the last machine exists: then an earlier run has written all of them.
func (m *addMachine) invite(ctx context.Context) error {
	last := filepath.Join(m.tokens, events.MachineTag(fmt.Sprint(m.n))+".join")
	if _, err := os.Stat(last); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for {
		err := session.With(ctx, m.app, func(s *session.Session) error { return m.run(ctx, s, s.Env) })
		if refused := (app.Refused{}); err == nil || errors.As(err, &refused) || session.Unproved(err) {
			return err
		}
		m.app.Say("Waiting for the state server: %v", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}
