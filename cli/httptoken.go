package cli

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
)

func (a *juju) httpTokenCommand() *cobra.Command {
	var ttl time.Duration
	var header bool
	cmd := &cobra.Command{
		Use: "http-token [URL]", Short: "Make a token for the state server's web page", Args: cobra.MaximumNArgs(1),
		Long: `Make a token that lets whoever has it read the state server's web page, /status and
/metrics until it expires, and nothing else. It is signed by your key; nothing is asked of
the environment, and nothing is stored. On the state server's own host none is needed.

With the page's URL, a link is printed for a browser; it works in one browser. With
--header, the token is printed as a header, for a program; a pipe keeps it out of the list
of processes.`,
		Example: `  juju http-token https://juju.example.com:8443
  juju http-token --ttl 5m --header | curl --cacert ca.pem --header @- https://juju.example.com:8443/status`,
		RunE: func(_ *cobra.Command, args []string) error {
			if ttl < time.Second || ttl > events.MaxHTTPTokenLife {
				return app.Usage("--ttl is a second to %v, not %v", events.MaxHTTPTokenLife, ttl)
			}
			if len(args) > 0 {
				if u, err := url.Parse(args[0]); err != nil || u.Scheme != "https" || u.Host == "" || header {
					return app.Usage("%q is not https://HOST:PORT, or it is given with --header", args[0])
				}
			}
			token, err := a.httpToken(ttl)
			if err != nil {
				return err
			}
			switch {
			case header:
				token = "Authorization: Bearer " + token
			case len(args) > 0:
				token = strings.TrimSuffix(args[0], "/") + "/enter#" + token
			}
			_, err = fmt.Fprintln(a.Stdout, token)
			return err
		},
	}
	cmd.Flags().DurationVar(&ttl, "ttl", 15*time.Minute, "how long it works, at most an hour")
	cmd.Flags().BoolVar(&header, "header", false, "print it as a header of HTTP")
	return cmd
}

// httpToken is signed by the operator's key of the chosen environment.
func (a *juju) httpToken(ttl time.Duration) (string, error) {
	env, err := a.Chosen()
	if err != nil {
		return "", err
	}
	creds, err := bus.LoadCredentials(a.Store().CredentialsFile(env.Name))
	if err != nil {
		return "", app.Fail(err, "No token was made.", "")
	}
	id, err := creds.Identity()
	if err != nil {
		return "", err
	}
	now := time.Now().UTC()
	statement, err := json.Marshal(events.HTTPToken{Environment: env.UUID, Issued: now, Expires: now.Add(ttl)})
	if err != nil {
		return "", err
	}
	signature, err := id.Sign(events.PAE(events.HTTPTokenType, statement))
	if err != nil {
		return "", err
	}
	return events.FormatHTTPToken(events.Signed{Statement: statement, Key: id.Public(), Signature: signature})
}
