package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/host"
)

// userCommand is the group `juju user`.
func userCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use: "user", Short: "Say who may ask for what",
		Long: `Operators are people with a key of their own. Who they are and what they may ask for is part of
the environment's signed metadata, which machines believe and state servers cannot change.

  juju user key                          the new one makes his key, and tells you its public half
  juju user add bob KEY operate --labels env=prod
                                         you add him, and get a line for him, with no secret in it
  juju user accept LINE                  he takes it, and has the environment

Roles: read sees everything; operate asks for upgrades, restarts and units; approve agrees to what
others asked; release brings tools; admin may do all that, and machines, settings and operators.
With --labels a role holds for machines with those labels only.`,
		Example: "  juju user list\n  juju user remove bob",
	}
	cmd.AddCommand((&userKey{app: a}).command(), (&addUser{app: a}).command(), (&accept{app: a}).command(), (&listUsers{app: a}).command(),
		(&grant{app: a}).command(), (&removeUser{app: a}).command())
	return cmd
}

// userKey is `juju user key`.
type userKey struct{ app *app.App }

func (c *userKey) command() *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Make this client's key as an operator, and print its public half", Args: cobra.NoArgs,
		Long: `Make a key for this client, unless it has one, in JUJU_DATA/user.key, and print its public half:
whoever is admin of an environment adds that with juju user add. The key never leaves this client.`,
		Example: "  juju user key",
		RunE:    func(*cobra.Command, []string) error { return c.run() },
	}
}

func (c *userKey) run() error {
	id, err := readUserKey(c.app.Store())
	if errors.Is(err, fs.ErrNotExist) {
		id, err = makeUserKey(c.app.Store())
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.app.Stdout, id.Public())
	return err
}

func userKeyFile(store app.Store) string { return store.Path("user.key") }

// readUserKey reads this client's key as an operator. It refuses a file that others can read.
func readUserKey(store app.Store) (*bus.Identity, error) {
	b, err := host.ReadSecret(userKeyFile(store))
	if err != nil {
		return nil, err
	}
	return bus.ParseIdentity([]byte(strings.TrimSpace(string(b))))
}

func makeUserKey(store app.Store) (*bus.Identity, error) {
	id, err := bus.NewIdentity()
	if err == nil {
		err = os.MkdirAll(string(store), 0o700)
	}
	if err != nil {
		return nil, err
	}
	return id, host.WriteFile(userKeyFile(store), append(id.Seed(), '\n'))
}
