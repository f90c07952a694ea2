package trust

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
)

// accept is `juju user accept`.
type accept struct{ app *app.App }

func (c *accept) command() *cobra.Command {
	return &cobra.Command{
		Use: "accept LINE", Short: "Take the line that an admin has for you", Args: cobra.ExactArgs(1),
		Long: `Take the line that juju user add, or grant, printed for you: this client then knows the
environment, and whom to believe there. The line is for the key of this client (juju user key)
and of no use with another one. Ask somebody whom you trust for it: it pins who you talk to.

The environment is asked for its signed metadata then, which names the keys that sign its log.
From the first command on, this client holds the log against what it has seen of it, and against
what the admin had seen. If nobody answers now, the next command asks.`,
		Example: "  juju user accept jujube-user1.…",
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := parseInvitation(args[0])
			if err != nil {
				return err
			}
			if err := c.run(i); err != nil {
				return err
			}
			return c.look(cmd.Context(), i)
		},
	}
}

// run notes the environment in the store, under the store's lock. It refuses a line for another
// key than this client's, and a line whose environment would replace another one of the same name.
func (c *accept) run(i invitation) error {
	store := c.app.Store()
	id, err := readUserKey(store)
	if err != nil {
		return app.Fail(err, "Nothing was changed.", "juju user key makes this client's key; an admin adds it")
	}
	_, key, err := bus.Holder(i.JWT)
	if err == nil && key != id.Public() {
		err = fmt.Errorf("the line is for the key %s, this client's is %s", key, id.Public())
	}
	if err != nil {
		return app.Fail(err, "Nothing was changed.", "give juju user key to the admin, and take the line he gets then")
	}
	if old, err := store.Load(i.Name); err == nil && old.UUID != i.UUID {
		return app.Fail(fmt.Errorf("there is another environment %q here already", i.Name), "Nothing was changed.", "juju destroy-environment, or another JUJU_DATA")
	}
	unlock, err := store.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := note(store, i, bus.Credentials{JWT: i.JWT, Seed: string(id.Seed())}); err != nil {
		return err
	}
	c.app.Say("You are %s in environment %q; juju status shows it", i.Operator, i.Name)
	return nil
}

// look connects for the first time: the keys of the log are taken out of the signed metadata, and
// the log must go on from what the admin has seen of it.
func (c *accept) look(ctx context.Context, i invitation) error {
	a := *c.app
	a.Environment = i.Name
	s, err := session.Connect(ctx, &a)
	if session.Unproved(err) {
		return err
	}
	if err != nil {
		c.app.Say("WARNING the environment cannot be looked at now, so its log is not compared yet; the next command does that: %v", err)
		return nil
	}
	s.Close()
	return nil
}

// note writes what the invitation says into the store: whom to believe, the credentials and where
// the environment is.
func note(store app.Store, i invitation, creds bus.Credentials) error {
	if err := host.MakeDirectory(filepath.Dir(store.CredentialsFile(i.Name))); err != nil {
		return err
	}
	env := app.Environment{Name: i.Name, UUID: i.UUID, Operator: i.Operator, URLs: i.URLs}
	if len(i.Checkpoint) > 0 {
		if err := session.Begin(store, env, i.Checkpoint); err != nil {
			return err
		}
	}
	return errors.Join(
		bus.PinAuthorities(store.AuthoritiesFile(i.Name), i.Authorities),
		signing.SiteRepository(store, i.Name).Pin(tuf.Anchor{SHA256: i.Anchor}),
		store.SaveCredentials(i.Name, creds),
		store.Save(env),
		store.MakeCurrent(i.Name),
	)
}
