package trust

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/wire"
)

// invitation is the line that an admin hands to an operator: all that the operator's client needs
// of the environment beside the operator's own key. It holds no secret.
type invitation struct {
	Name        string   `json:"name"`
	UUID        string   `json:"uuid"`
	Operator    string   `json:"operator"`
	URLs        []string `json:"urls"`
	Authorities string   `json:"authorities"` // PEM
	Anchor      string   `json:"anchor"`      // of the site's signed metadata
	JWT         string   `json:"jwt"`
	Checkpoint  []byte   `json:"checkpoint,omitempty"` // of the log: the newest that the admin has seen
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
	if len(i.Checkpoint) > 0 {
		if _, err := tree.Parse(i.Checkpoint, i.UUID); err != nil {
			return i, app.Usage("the line is altered (%v); copy it whole from juju user add", err)
		}
	}
	return i, bus.CheckAuthorities(i.Authorities)
}

// printInvitation prints the line with which the operator with that key accepts.
func printInvitation(ctx context.Context, a *app.App, s wire.Asker, env app.Environment, key string) error {
	i, err := invite(ctx, a.Store(), s, env, key)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.Stdout, "juju user accept "+i.String())
	return err
}

// invite asks for the operator's credentials, which hold no secret: they are of use only with the
// key. What else is in the invitation is what this client has pinned itself.
func invite(ctx context.Context, store app.Store, s wire.Asker, env app.Environment, key string) (i invitation, err error) {
	token, err := wire.OperatorCredentials.Ask(ctx, s, wire.Text(key))
	if err != nil {
		return i, app.Fail(err, "The operator was published; only the line for him is missing.", "juju user grant prints it, too")
	}
	name, _, err := bus.Holder(string(token))
	if err != nil {
		return i, err
	}
	pinned, err := bus.PinnedAuthorities(store.AuthoritiesFile(env.Name))
	if err != nil {
		return i, err
	}
	anchor, err := signing.SiteRepository(store, env.Name).Anchor()
	if err != nil {
		return i, err
	}
	w, err := session.WitnessOf(store, env)
	if err != nil {
		return i, err
	}
	return invitation{
		Name: env.Name, UUID: env.UUID, Operator: name, URLs: env.URLs, Authorities: pinned, Anchor: anchor.SHA256, JWT: string(token),
		Checkpoint: w.Seen().Note,
	}, nil
}
