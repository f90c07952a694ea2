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
	"github.com/jujube-project/jujube/events/wire"
)

// invitation is all that an operator's client needs beside his own key. It holds no secret.
type invitation struct {
	Name        string   `json:"name"`
	UUID        string   `json:"uuid"`
	Operator    string   `json:"operator"`
	URLs        []string `json:"urls"`
	Authorities string   `json:"authorities"` // PEM
	Anchor      string   `json:"anchor"`      // of the site's signed metadata
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

// printInvitation prints the line for the operator with that key.
func printInvitation(ctx context.Context, a *app.App, s *session.Session, key string) error {
	i, err := invite(ctx, a.Store(), s, key)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.Stdout, "juju user accept "+i.String())
	return err
}

func invite(ctx context.Context, store app.Store, s *session.Session, key string) (i invitation, err error) {
	token, err := wire.OperatorCredentials.Ask(ctx, s, wire.Text(key))
	if err != nil {
		return i, app.Fail(err, "The operator was published; only the line for him is missing.", "juju user grant prints it, too")
	}
	name, _, err := bus.Holder(string(token))
	if err != nil {
		return i, err
	}
	pinned, err := bus.PinnedAuthorities(store.AuthoritiesFile(s.Env.Name))
	if err != nil {
		return i, err
	}
	anchor, err := signing.SiteRepository(store, s.Env.Name).Anchor()
	return invitation{
		Name: s.Env.Name, UUID: s.Env.UUID, Operator: name, URLs: s.Env.URLs, Authorities: pinned, Anchor: anchor.SHA256, JWT: string(token),
	}, err
}
