package events

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// HTTPToken is the statement of an operator's token for the state server's HTTP pages. Whoever has
// the token may read those pages until it expires, and may do nothing else. Nobody stores a token.
type HTTPToken struct {
	Environment string    `json:"environment"` // UUID: a token cannot be carried to another one
	Issued      time.Time `json:"issued"`
	Expires     time.Time `json:"expires"`
}

// HTTPTokenType is part of what is signed for a token, so that the signature cannot be used as the
// signature of anything else. See PAE.
const HTTPTokenType = "jujube.http-token.v1"

// Limits of a token.
const (
	MaxHTTPTokenLife  = time.Hour
	MaxHTTPTokenBytes = 2 << 10
	httpTokenSkew     = time.Minute // how far the clock of the issuer may be ahead
)

const httpTokenPrefix = "jujubehttp1."

// FormatHTTPToken gives the token in the form in which it is sent: in a header, or behind the # of
// a link.
func FormatHTTPToken(s Signed) (string, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	return httpTokenPrefix + base64.RawURLEncoding.EncodeToString(b), nil
}

// ParseHTTPToken reads a token and trusts nothing in it. The caller checks the signature over
// PAE(HTTPTokenType, Statement) with Key before it uses the statement. It returns ErrInvalid for
// bytes that are no token.
func ParseHTTPToken(text string) (Signed, HTTPToken, error) {
	var s Signed
	var t HTTPToken
	if len(text) > MaxHTTPTokenBytes {
		return s, t, fmt.Errorf("%w: token of %d bytes, limit %d", ErrInvalid, len(text), MaxHTTPTokenBytes)
	}
	rest, ok := strings.CutPrefix(text, httpTokenPrefix)
	if !ok {
		return s, t, fmt.Errorf("%w: it does not begin with %q", ErrInvalid, httpTokenPrefix)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err == nil {
		err = strict(b, &s)
	}
	if err == nil {
		err = strict(s.Statement, &t)
	}
	if err != nil {
		return s, t, fmt.Errorf("%w: token: %w", ErrInvalid, err)
	}
	return s, t, nil
}

// Check says why a token does not hold in an environment at a time; nil: it holds.
func (t HTTPToken) Check(environment string, now time.Time) error {
	switch life := t.Expires.Sub(t.Issued); {
	case t.Environment != environment:
		return fmt.Errorf("it is of another environment")
	case life <= 0 || life > MaxHTTPTokenLife:
		return fmt.Errorf("it is for %v, and must be for an hour or less", life)
	case t.Issued.After(now.Add(httpTokenSkew)):
		return fmt.Errorf("it begins in the future: the clocks differ")
	case !now.Before(t.Expires):
		return fmt.Errorf("it has expired")
	}
	return nil
}
