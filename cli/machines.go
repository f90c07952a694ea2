package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
)

// addMachine is what `juju add-machine` was asked.
type addMachine struct {
	n       int
	local   bool
	jujud   string
	dataDir string
	tokens  string
	ttl     time.Duration
}

func (a *App) addMachineCommand() *cobra.Command {
	var m addMachine
	cmd := &cobra.Command{
		Use: "add-machine", Short: "Let machines join the environment", Args: cobra.NoArgs,
		Long: `Make places for machines. For each, a one-time command is printed that makes a host that
machine: the token in it works once, and not for ever. With --local the machines are
started here instead, each with a data directory of its own.`,
		Example: "  juju add-machine\n  juju add-machine -n 3 --ttl 2h\n  juju add-machine -n 3 --local",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if m.local && m.tokens != "" {
				return usage("--local starts the machines here, --save-tokens prepares them for other hosts: give one of them")
			}
			if m.n < 1 || m.n > 200 {
				return usage("-n is 1 to 200, not %d", m.n)
			}
			return a.with(cmd.Context(), func(s *session) error { return s.addMachines(cmd.Context(), m) })
		},
	}
	f := cmd.Flags()
	f.IntVarP(&m.n, "number", "n", 1, "how many")
	f.BoolVar(&m.local, "local", false, "start them on this host, in the background")
	f.StringVar(&m.jujud, "jujud", "", "the jujud to run with --local (default: beside juju, then in the PATH)")
	f.StringVar(&m.dataDir, "data-dir", "/var/lib/juju", "data directory in the printed command")
	f.StringVar(&m.tokens, "save-tokens", "", "write the tokens to files machine-N.join in this directory, for jujud machine --join-file, and print none")
	f.DurationVar(&m.ttl, "ttl", time.Hour, "how long the tokens work")
	return cmd
}

// addMachines makes the tokens here, so that their secrets are never anywhere else, and
// asks for places for their public halves.
func (s *session) addMachines(ctx context.Context, m addMachine) error {
	jujud, err := "jujud", error(nil)
	if m.local {
		if jujud, err = findJujud(m.jujud); err != nil {
			return err
		}
	}
	secrets := map[string]*bus.Identity{}
	ask := &events.AskAddMachine{TTL: int64(m.ttl / time.Second)}
	for range m.n {
		id, err := bus.NewIdentity()
		if err != nil {
			return err
		}
		secrets[id.Public()] = id
		ask.TokenKeys = append(ask.TokenKeys, id.Public())
	}
	enrol, err := s.ask(ctx, "enrol-credentials", nil)
	if err != nil {
		return fail(err, "Nothing was changed.", "")
	}
	recs, err := s.request(ctx, events.Ask{Action: events.ActionAddMachine, AddMachine: ask})
	if err != nil {
		return err
	}
	for _, rec := range recs {
		payload, err := events.Decode(rec)
		if err != nil {
			return err
		}
		invited, ok := payload.(*events.MachineInvited)
		if !ok {
			continue
		}
		token, err := s.token(invited.Machine, secrets[invited.TokenKey], enrol)
		if err != nil {
			return err
		}
		if err := s.welcome(ctx, invited.Machine, token, jujud, m); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) token(machine string, secret *bus.Identity, enrol []byte) (bus.JoinToken, error) {
	t := bus.JoinToken{
		Environment: s.Env.UUID, Name: s.Env.Name, Machine: machine, URLs: s.Env.URLs, Seed: string(secret.Seed()),
	}
	return t, decodeJSON(enrol, &t.Enrol)
}

// welcome starts the machine here, or prints how to start it elsewhere.
func (s *session) welcome(ctx context.Context, id string, token bus.JoinToken, jujud string, m addMachine) error {
	if m.tokens != "" {
		file := filepath.Join(m.tokens, events.MachineTag(id)+".join")
		if err := install.WriteFile(file, []byte(token.String()+"\n")); err != nil {
			return fail(err, "The machine's place in the environment stays until the token expires.", "juju remove-machine "+id)
		}
		_, err := fmt.Fprintf(s.app.Stdout, "machine %s: jujud machine --data-dir %s --join-file %s\n", id, m.dataDir, file)
		return err
	}
	if !m.local {
		_, err := fmt.Fprintf(s.app.Stdout, "machine %s: jujud machine --data-dir %s --join %s\n", id, m.dataDir, token)
		return err
	}
	dir := filepath.Join(s.app.data(), "machines", s.Env.Name, id)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	pid, started, err := startDaemon(ctx, jujud, filepath.Join(dir, "log", events.MachineTag(id)+".log"), []string{"JUJUBE_JOIN=" + token.String()}, "machine", "--data-dir", dir)
	if err != nil {
		return fail(fmt.Errorf("start machine %s: %w", id, err), "Its place in the environment stays until the token expires.", "juju remove-machine "+id)
	}
	s.Env.Machines = append(s.Env.Machines, machine{ID: id, DataDir: dir, PID: pid, Started: started})
	if err := s.app.saveEnvironment(s.Env); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.app.Stdout, "machine %s started\n", id)
	return err
}

func (a *App) removeMachineCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove-machine ID...", Short: "Remove machines from the environment", Args: cobra.MinimumNArgs(1),
		Long: `Remove machines: their agents are not obeyed any more. A machine that still runs units is
refused. A machine that this client started on this host is stopped, and its files are
removed.`,
		Example: "  juju remove-machine 3\n  juju remove-machine 3 4",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(s *session) error {
				for _, id := range args {
					if !events.IsMachine(id) {
						return usage("%q is no machine; juju status lists them", id)
					}
					if _, err := s.request(cmd.Context(), events.Ask{Action: events.ActionRemoveMachine, RemoveMachine: id}); err != nil {
						return err
					}
					if err := s.forget(id); err != nil {
						return err
					}
					a.say("Removed machine %s", id)
				}
				return nil
			})
		},
	}
}

// forget stops a machine that runs on this host and removes its files.
func (s *session) forget(id string) error {
	kept := s.Env.Machines[:0]
	var errs []error
	for _, m := range s.Env.Machines {
		if m.ID != id {
			kept = append(kept, m)
			continue
		}
		errs = append(errs, stopProcess(m.PID, m.Started), os.RemoveAll(m.DataDir))
	}
	s.Env.Machines = kept
	return errors.Join(append(errs, s.app.saveEnvironment(s.Env))...)
}
