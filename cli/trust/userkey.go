package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/host"
)

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
		err = host.MakeDirectory(string(store))
	}
	if err != nil {
		return nil, err
	}
	return id, host.WriteFile(userKeyFile(store), append(id.Seed(), '\n'))
}
