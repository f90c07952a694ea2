package environment

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

// httpToken is `juju http-token`.
type httpToken struct {
	app    *app.App
	ttl    time.Duration
	header bool // print the token as a header of HTTP
}

func (c *httpToken) command() *cobra.Command {
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
			if c.ttl < time.Second || c.ttl > events.MaxHTTPTokenLife {
				return app.Usage("--ttl is a second to %v, not %v", events.MaxHTTPTokenLife, c.ttl)
			}
			page := ""
			if len(args) > 0 {
				if u, err := url.Parse(args[0]); err != nil || u.Scheme != "https" || u.Host == "" || c.header {
					return app.Usage("%q is not https://HOST:PORT, or it is given with --header", args[0])
				}
				page = args[0]
			}
			return c.run(page)
		},
	}
	cmd.Flags().DurationVar(&c.ttl, "ttl", 15*time.Minute, "how long it works, at most an hour")
	cmd.Flags().BoolVar(&c.header, "header", false, "print it as a header of HTTP")
	return cmd
}

// run prints the token: with the page's URL as a link, with --header as a header.
func (c *httpToken) run(page string) error {
	token, err := c.sign()
	if err != nil {
		return err
	}
	switch {
	case c.header:
		token = "Authorization: Bearer " + token
	case page != "":
		token = strings.TrimSuffix(page, "/") + "/enter#" + token
	}
	_, err = fmt.Fprintln(c.app.Stdout, token)
	return err
}

// sign makes a token with the operator's key of the chosen environment.
func (c *httpToken) sign() (string, error) {
	env, err := c.app.Chosen()
	if err != nil {
		return "", err
	}
	creds, err := bus.LoadCredentials(c.app.Store().CredentialsFile(env.Name))
	if err != nil {
		return "", app.Fail(err, "No token was made.", "")
	}
	id, err := creds.Identity()
	if err != nil {
		return "", err
	}
	now := time.Now().UTC()
	statement, err := json.Marshal(events.HTTPToken{Environment: env.UUID, Issued: now, Expires: now.Add(c.ttl)})
	if err != nil {
		return "", err
	}
	signature, err := id.Sign(events.PAE(events.HTTPTokenType, statement))
	if err != nil {
		return "", err
	}
	return events.FormatHTTPToken(events.Signed{Statement: statement, Key: id.Public(), Signature: signature})
}
