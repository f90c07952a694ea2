package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/projections/plain"
)

func (a *App) destroyCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "destroy-environment NAME", Short: "Stop an environment's machines on this host and remove their files", Args: cobra.MaximumNArgs(1),
		Long: `Stop the machines that this client started on this host, remove their data directories,
with the log, and forget the environment. Nothing else is removed: a directory that is
another machine's, or that a jujud still uses which this client did not start, is left
alone. Machines on other hosts are not touched: stop jujud there. There is no way back.`,
		Example:           "  juju destroy-environment trial\n  juju destroy-environment trial --yes",
		ValidArgsFunction: a.completeEnvironment,
		RunE: func(_ *cobra.Command, args []string) error {
			name, err := a.named(args)
			if err != nil {
				return err
			}
			if name == "" {
				return usage("name the environment: juju destroy-environment NAME; juju environments lists them")
			}
			env, err := a.loadEnvironment(name)
			if err != nil {
				return err
			}
			if !yes && !a.confirm(lossOf(env)) {
				return fail(errors.New("not confirmed"), "Nothing was changed.", "")
			}
			return a.destroy(env)
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// lossOf says what a destroyed environment takes with it.
func lossOf(env environment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Environment %q, its %d machines on this host and its log will be removed for ever", env.Name, len(env.Machines))
	for _, m := range env.Machines {
		fmt.Fprintf(&b, "\n  machine %s: %s", m.ID, m.DataDir)
	}
	return b.String()
}

// destroy stops the other machines before the state server, removes only what is
// stopped, and forgets each machine with its files: what fails can be done again.
func (a *App) destroy(env environment) error {
	machines := slices.Clone(env.Machines)
	slices.Reverse(machines)
	for _, m := range machines {
		a.say("Stopping machine %s", m.ID)
		if err := a.discard(env, m); err != nil {
			return err
		}
	}
	for _, file := range []string{a.environmentFile(env.Name), a.credentialsFile(env.Name), a.authoritiesFile(env.Name), a.logKeysFile(env.Name), string(a.siteRepository(env.Name))} {
		if err := os.RemoveAll(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if a.current() == env.Name {
		return os.Remove(a.currentFile())
	}
	return nil
}

// discard stops a machine on this host, removes its files and forgets it.
func (a *App) discard(env environment, m machine) error {
	if err := stopProcess(m.PID, m.Started); err != nil {
		return fail(err, "The environment is still known; what was stopped stays stopped.", "juju destroy-environment "+env.Name)
	}
	if err := removeMachine(m.DataDir, env.UUID, m.ID); err != nil {
		return err
	}
	if err := a.updateEnvironment(env.Name, func(e *environment) { e.drop(m.ID) }); err != nil {
		return err
	}
	_ = os.Remove(a.machineDir(env.Name, "")) // when it was the last
	return nil
}

// confirm asks y/N. Everything but y or yes, also the end of input, means no.
func (a *App) confirm(question string) bool {
	fmt.Fprintf(a.Stderr, "%s\nContinue [y/N]? ", plain.Lines(question))
	line, _ := bufio.NewReader(a.Stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}
