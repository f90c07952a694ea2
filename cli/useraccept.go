package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/wire"
)

// invitation is all that an operator's client needs beside his own key. It holds no secret.
type invitation struct {
	Name        string   `json:"name"`
	UUID        string   `json:"uuid"`
	Operator    string   `json:"operator"`
	URLs        []string `json:"urls"`
	Authorities string   `json:"authorities"` // PEM
	Anchor      string   `json:"anchor"`      // of the site's trust
	JWT         string   `json:"jwt"`
}

const invitationPrefix = "jujube-user1."

func (i invitation) String() string {
	b, err := json.Marshal(i)
	if err != nil {
		return ""
	}
	return invitationPrefix + base64.RawURLEncoding.EncodeToString(b)
}

func parseInvitation(s string) (i invitation, err error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(s), invitationPrefix)
	if !ok {
		return i, app.Usage("the line does not begin with %s; copy it whole from juju user add", invitationPrefix)
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &i)
	}
	switch {
	case err != nil:
		return i, app.Usage("the line is cut short or altered (%v); copy it whole from juju user add", err)
	case !events.IsID(i.Name) || !events.IsID(i.UUID) || !events.IsID(i.Operator) || len(i.URLs) == 0 || !tools.IsDigest(i.Anchor):
		return i, app.Usage("the line lacks the environment's name, address or root; copy it whole from juju user add")
	}
	return i, bus.CheckAuthorities(i.Authorities)
}

// invitation is the line for the operator with that key.
func (s *session) invitation(ctx context.Context, key string) (string, error) {
	token, err := wire.OperatorCredentials.Ask(ctx, s, wire.Text(key))
	if err != nil {
		return "", app.Fail(err, "The operator was published; only the line for him is missing.", "juju user grant prints it, too")
	}
	name, _, err := bus.Holder(string(token))
	if err != nil {
		return "", err
	}
	pinned, err := bus.PinnedAuthorities(s.app.Store().AuthoritiesFile(s.Env.Name))
	if err != nil {
		return "", err
	}
	anchor, err := s.app.siteRepository(s.Env.Name).anchor()
	return invitation{
		Name: s.Env.Name, UUID: s.Env.UUID, Operator: name, URLs: s.Env.URLs, Authorities: pinned, Anchor: anchor.SHA256, JWT: string(token),
	}.String(), err
}

func (a *juju) userAcceptCommand() *cobra.Command {
	return &cobra.Command{
		Use: "accept LINE", Short: "Take the line that an admin has for you", Args: cobra.ExactArgs(1),
		Long: `Take the line that juju user add, or grant, printed for you: this client then knows the
environment, and whom to believe there. The line is for the key of this client (juju user key)
and of no use with another one. Ask somebody whom you trust for it: it pins who you talk to.`,
		Example: "  juju user accept jujube-user1.…",
		RunE: func(_ *cobra.Command, args []string) error {
			i, err := parseInvitation(args[0])
			if err != nil {
				return err
			}
			return a.accept(i)
		},
	}
}

// accept notes the environment. One of the same name that is another one stays.
func (a *juju) accept(i invitation) error {
	id, err := a.userKey()
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
	env := app.Environment{Name: i.Name, UUID: i.UUID, Operator: i.Operator, URLs: i.URLs}
	if old, err := a.Store().Load(i.Name); err == nil && old.UUID != i.UUID {
		return app.Fail(fmt.Errorf("there is another environment %q here already", i.Name), "Nothing was changed.", "juju destroy-environment, or another JUJU_DATA")
	}
	unlock, err := a.Store().Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.MkdirAll(filepath.Dir(a.Store().CredentialsFile(i.Name)), 0o700); err != nil {
		return err
	}
	err = errors.Join(
		bus.PinAuthorities(a.Store().AuthoritiesFile(i.Name), i.Authorities), a.siteRepository(i.Name).pin(tuf.Anchor{SHA256: i.Anchor}),
		a.Store().SaveCredentials(i.Name, bus.Credentials{JWT: i.JWT, Seed: string(id.Seed())}), a.Store().Save(env), a.Store().MakeCurrent(i.Name),
	)
	if err == nil {
		a.Say("You are %s in environment %q; juju status shows it", i.Operator, i.Name)
	}
	return err
}
