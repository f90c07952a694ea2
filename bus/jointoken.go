package bus

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/jujube-project/jujube/events"
)

// JoinToken lets one host enrol as one machine, once. A person carries it from `juju
// add-machine` to that host, so it holds all that the host needs: where the environment is
// and whom to believe there, before the host says anything; credentials that can only ask to
// be enrolled; and the seed of a key whose public half stands in the invitation in the log.
type JoinToken struct {
	Environment string      `json:"environment"` // UUID
	Name        string      `json:"name"`        // of the environment
	Machine     string      `json:"machine"`     // id
	URLs        []string    `json:"urls"`
	Authorities string      `json:"authorities"`      // certificates that are believed, PEM
	Enrol       Credentials `json:"enrol"`            // of the ENROL account
	Seed        string      `json:"seed"`             // of the token's key: the secret
	Anchor      string      `json:"anchor,omitempty"` // sha256 of the first root of the site's trust, in hex

	Labels map[string]string `json:"labels,omitempty"` // of the machine
}

// tokenPrefix tells a join token, and the version of its form, from other text.
const tokenPrefix = "jujube1."

// String is the token as a person passes it on. It is a secret until it is used.
func (t JoinToken) String() string {
	b, err := json.Marshal(t)
	if err != nil {
		return ""
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// ParseJoinToken reads what String wrote. For anything else it returns an *events.Reason with
// the code events.CodeTokenMalformed.
func ParseJoinToken(s string) (JoinToken, error) {
	var t JoinToken
	text, ok := strings.CutPrefix(strings.TrimSpace(s), tokenPrefix)
	if !ok {
		return t, malformed("it does not begin with %q; copy it whole from `juju add-machine`", tokenPrefix)
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil {
		return t, malformed("it is cut short or altered (%v); copy it whole from `juju add-machine`", err)
	}
	if !events.IsMachine(t.Machine) || t.Seed == "" || len(t.URLs) == 0 {
		return t, malformed("it lacks the machine, the secret or the address; copy it whole from `juju add-machine`")
	}
	if err := events.CheckLabels(t.Labels); err != nil {
		return t, malformed("%v; copy it whole from `juju add-machine`", err)
	}
	if err := CheckAuthorities(t.Authorities); err != nil {
		return t, malformed("it does not pin the environment's certificate authority: %v; ask for a new one with `juju add-machine`", err)
	}
	return t, nil
}

func malformed(format string, args ...any) error {
	return events.Refuse(events.CodeTokenMalformed, "read the join token: "+format, args...).TextFirst()
}
