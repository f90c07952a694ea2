package server

import (
	"crypto/rand"
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

// Rules are the claims of the accounts in which nobody is revoked: what a NATS that runs in a
// process of its own has to know beside Revocations. A configuration that an earlier jujube made
// has other ones. bus.Conn.UpdateAccount gives them to NATS.
func (a *Accounts) Rules() []string {
	return []string{a.JWTs[names.AccountControl], a.JWTs[names.AccountEnrol]}
}

func (a *Accounts) revoke(account string, keys map[string]time.Time) (string, error) {
	revoked := jwt.RevocationList{}
	for key, until := range keys {
		revoked.Revoke(key, until)
	}
	return a.signRevoking(account, revoked)
}

// renew gives claims of an account that NATS has kept the rules of this version, if they have
// others. What they revoke stays revoked.
func (a *Accounts) renew(account, kept string) (string, error) {
	claims, err := jwt.DecodeAccountClaims(kept)
	if err != nil || sameClaims(kept, a.JWTs[account]) {
		return kept, err
	}
	return a.signRevoking(account, claims.Revocations)
}

func (a *Accounts) signRevoking(account string, revoked jwt.RevocationList) (string, error) {
	signer, err := nkeys.FromSeed([]byte(a.OperatorKey))
	if err != nil {
		return "", err
	}
	claims, err := jwt.DecodeAccountClaims(a.JWTs[account])
	if err != nil {
		return "", err
	}
	claims.Revocations = revoked
	return encode(claims, signer)
}

// encode signs claims. NATS takes claims for those that it has if the same account was signed in
// the same second; the audience, at which NATS does not look, tells them apart.
// Source: jwt, ClaimsData.hash; nats-server, DirJWTStore.saveIfNewer.
func encode(claims *jwt.AccountClaims, signer nkeys.KeyPair) (string, error) {
	claims.Audience = rand.Text()
	return claims.Encode(signer)
}
