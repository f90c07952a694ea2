package server

import (
	"fmt"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/jujube-project/jujube/bus/internal/names"
)

// Revoked says whose credentials are refused, by public key. Credentials of a key that were
// made up to that time are refused; newer ones are let in.
type Revoked struct {
	Machines  map[string]time.Time
	Operators map[string]time.Time
}

// Revocations are new claims of the accounts of machines and operators, which revoke what r
// says and nothing else. They hold no secret. bus.Conn.UpdateAccount gives them to NATS.
func (a *Accounts) Revocations(r Revoked) (claims []string, err error) {
	for account, keys := range map[string]map[string]time.Time{names.AccountAgents: r.Machines, names.AccountOperators: r.Operators} {
		token, err := a.revoke(account, keys)
		if err != nil {
			return nil, fmt.Errorf("revoke credentials of %s: %w", account, err)
		}
		claims = append(claims, token)
	}
	return claims, nil
}

func (a *Accounts) revoke(account string, keys map[string]time.Time) (string, error) {
	signer, err := nkeys.FromSeed([]byte(a.OperatorKey))
	if err != nil {
		return "", err
	}
	claims, err := jwt.DecodeAccountClaims(a.JWTs[account])
	if err != nil {
		return "", err
	}
	claims.Revocations = jwt.RevocationList{}
	for key, until := range keys {
		claims.RevokeAt(key, until)
	}
	return claims.Encode(signer)
}
