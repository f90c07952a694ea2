package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/connection"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/host"
)

// joinToken is where a join token comes from: a file, or the standard input. A token never comes
// from the command line or from the environment, because other users of the host, and every
// program that this one starts, can read those.
type joinToken struct {
	file  string // "-": stdin
	given string // value of the flag --join, which is refused
	stdin io.Reader
}

// joinVariable is the environment variable that earlier versions read the token from.
const joinVariable = "JUJUBE_JOIN"

// maxTokenBytes limits what is read as a token.
const maxTokenBytes = 64 << 10

var errSecretSeen = errors.New("a secret in the command line or in the environment can be read by other programs of this host")

func (j *joinToken) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&j.file, "join-file", "",
		"file that holds a one-time token of juju add-machine, or - for the standard input; read only when the machine is not yet enrolled")
	cmd.Flags().StringVar(&j.given, "join", "", "")
	_ = cmd.Flags().MarkHidden("join") // the flag is defined above
}

// check refuses a token in the command line or in the environment. Whoever could read it there
// may have it by now, so it must not be used.
func (j *joinToken) check() error {
	if j.given == "" && os.Getenv(joinVariable) == "" {
		return nil
	}
	return fmt.Errorf("%w: %w; the token was not used; let juju remove-machine take its place away and juju add-machine make another one; "+
		"hand it over in a file or on the standard input: --join-file FILE, --join-file -",
		errUsage, errSecretSeen)
}

// read gives the token, or "" if there is none.
func (j *joinToken) read() (string, error) {
	var b []byte
	var err error
	switch j.file {
	case "":
		return "", nil
	case "-":
		if b, err = io.ReadAll(io.LimitReader(j.stdin, maxTokenBytes+1)); err == nil && len(b) > maxTokenBytes {
			err = fmt.Errorf("there are more than %d bytes on the standard input", maxTokenBytes)
		}
	default:
		b, err = host.ReadSecret(j.file)
	}
	if err != nil {
		return "", fmt.Errorf("read the join token: %w; nothing was started", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// enrolOnce enrols the machine, unless it is enrolled already. It does so in another process: the
// launcher never connects to anything.
func (o *options) enrolOnce(ctx context.Context, join joinToken) error {
	if err := install.Ours(o.dataDir); err != nil {
		return err
	}
	_, unknown := agent.LoadConf(o.dataDir)
	if unknown == nil || !errors.Is(unknown, agent.ErrNoConf) {
		return unknown
	}
	token, err := join.read()
	if err != nil {
		return err
	}
	if token == "" {
		return unknown
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, exe, "enrol", "--data-dir", o.dataDir)
	cmd.Stdin, cmd.Stderr = strings.NewReader(token), os.Stderr
	if err := cmd.Run(); err != nil {
		return errors.New("the machine was not enrolled; see above")
	}
	return nil
}

func (o *options) enrolCommand() *cobra.Command {
	return &cobra.Command{
		Use: "enrol", Short: "Enrol this host with a join token.", Hidden: true, Args: noArgs,
		Long:    "Enrol this host with the join token on the standard input. jujud machine --join-file does this.",
		Example: "  jujud enrol --data-dir /var/lib/juju < machine-3.join",
		RunE: func(cmd *cobra.Command, _ []string) error {
			token, err := (&joinToken{file: "-", stdin: cmd.InOrStdin()}).read()
			if err != nil {
				return err
			}
			own, err := ownVersion()
			if err != nil {
				return err
			}
			return connection.Enrol(cmd.Context(), connection.Enrolment{DataDir: o.dataDir, Token: token, Own: own, Logger: o.logger(), Ask: o.show})
		},
	}
}
