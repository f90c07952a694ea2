package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func (a *App) destroyCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "destroy-environment NAME", Short: "Stop an environment's machines on this host and remove their files", Args: cobra.ExactArgs(1),
		Long: `Stop the machines that this client started on this host, remove their data directories,
with the log, and forget the environment. Machines on other hosts are not touched: stop
jujud there. There is no way back.`,
		Example: "  juju destroy-environment trial\n  juju destroy-environment trial --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := a.loadEnvironment(args[0])
			if err != nil {
				return err
			}
			question := fmt.Sprintf("Environment %q, its %d machines on this host and its log will be removed for ever.", env.Name, len(env.Machines))
			if !yes && !a.confirm(question) {
				return fail(errors.New("not confirmed"), "Nothing was changed.", "")
			}
			return a.destroy(cmd.Context(), env)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// destroy stops the other machines before the state server, and removes only what is
// stopped.
func (a *App) destroy(_ context.Context, env environment) error {
	machines := slices.Clone(env.Machines)
	slices.Reverse(machines)
	for _, m := range machines {
		a.say("Stopping machine %s", m.ID)
		if err := stopProcess(m.PID, m.Started); err != nil {
			return fail(err, "The environment is still known; what was stopped stays stopped.", "juju destroy-environment "+env.Name)
		}
		if err := os.RemoveAll(m.DataDir); err != nil {
			return fmt.Errorf("remove %s: %w", m.DataDir, err)
		}
	}
	for _, file := range []string{a.environmentFile(env.Name), a.credentialsFile(env.Name)} {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if a.current() == env.Name {
		return os.Remove(a.currentFile())
	}
	return nil
}

// confirm asks y/N. Everything but y or yes, also the end of input, means no.
func (a *App) confirm(question string) bool {
	fmt.Fprintf(a.Stderr, "%s\nContinue [y/N]? ", question)
	line, _ := bufio.NewReader(a.Stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}
