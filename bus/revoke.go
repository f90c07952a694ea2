package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

// accountUpdate is where NATS takes an account's new claims. Source: nats-server, events.go.
func accountUpdate(id string) string { return "$SYS.REQ.ACCOUNT." + id + ".CLAIMS.UPDATE" }

// Revoked is whose credentials are refused: public keys, and up to when their credentials
// were made. Newer ones of the same key hold.
type Revoked struct {
	Machines  map[string]time.Time
	Operators map[string]time.Time
}

// Revocations are the claims of the accounts that machines and operators are in, with
// what is revoked there. They hold no secret.
func (t *Trust) Revocations(r Revoked) (claims []string, err error) {
	for account, keys := range map[string]map[string]time.Time{accountAgents: r.Machines, accountOperators: r.Operators} {
		token, err := t.revoke(account, keys)
		if err != nil {
			return nil, fmt.Errorf("revoke credentials of %s: %w", account, err)
		}
		claims = append(claims, token)
	}
	return claims, nil
}

func (t *Trust) revoke(account string, keys map[string]time.Time) (string, error) {
	signer, err := nkeys.FromSeed([]byte(t.OperatorKey))
	if err != nil {
		return "", err
	}
	claims, err := jwt.DecodeAccountClaims(t.Accounts[account])
	if err != nil {
		return "", err
	}
	claims.Revocations = jwt.RevocationList{}
	for key, until := range keys {
		claims.RevokeAt(key, until)
	}
	return claims.Encode(signer)
}

// UpdateAccount makes NATS believe an account's new claims: whose credentials they revoke
// is cut off at once, and stays out. The connection must have SystemCredentials.
func (c *Conn) UpdateAccount(ctx context.Context, token string) error {
	claims, err := jwt.DecodeAccountClaims(token)
	if err != nil {
		return fmt.Errorf("update an account: %w", err)
	}
	m, err := c.nats.RequestWithContext(ctx, accountUpdate(claims.Subject), []byte(token))
	if err != nil {
		return fmt.Errorf("update account %s: %w", claims.Name, translate(err))
	}
	var answer struct {
		Error *struct{ Description string } `json:"error"`
	}
	err = json.Unmarshal(m.Data, &answer)
	if err == nil && answer.Error != nil {
		err = errors.New(answer.Error.Description)
	}
	if err != nil {
		return fmt.Errorf("update account %s: %w", claims.Name, err)
	}
	return nil
}
