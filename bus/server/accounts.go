package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/host"
)

// Accounts are the NATS accounts of one environment, signed by the environment's own NATS
// operator, and the keys that sign users into them. Bootstrap makes them. The state server
// keeps them in a file, as a secret: whoever has it can make users of every role.
//
// They also hold the certificate authorities of the environment, since every connection
// needs both: a certificate, so that the client knows the server, and a user JWT, so that
// the server knows the client.
//
// Nothing changes in Accounts but the authorities: AddAuthority and RetireAuthority must
// not run beside another method.
type Accounts struct {
	Environment string              `json:"environment"`  // UUID
	Operator    string              `json:"operator"`     // JWT of the NATS operator
	JWTs        map[string]string   `json:"accounts"`     // by name of the account
	IDs         map[string]string   `json:"account_ids"`  // public keys, by name of the account
	SigningKeys map[roleName]string `json:"signing_keys"` // seeds of the scoped signing keys, by role
	OperatorKey string              `json:"operator_key"` // seed of the NATS operator's signing key; it signs revocations
	Authorities []Authority         `json:"authorities"`  // of certificates; the first one signs, all are believed
}

// every are the names of the accounts, in the order in which they are made and written.
var every = []string{names.AccountSystem, names.AccountControl, names.AccountOperators, names.AccountAgents, names.AccountEnrol}

// NewAccounts makes the NATS operator, the accounts, a scoped signing key for each role, and
// the first certificate authority. The identity keys of the operator and of the accounts are
// forgotten. The operator's signing key is kept: with it a state server signs which users an
// account refuses, and what roles and accounts may do in its version of jujube.
func NewAccounts(environmentUUID string) (*Accounts, error) {
	operator, err := nkeys.CreateOperator()
	if err != nil {
		return nil, fmt.Errorf("make the operator key: %w", err)
	}
	signer, err := nkeys.CreateOperator()
	if err != nil {
		return nil, fmt.Errorf("make the operator's signing key: %w", err)
	}
	seed, err := signer.Seed()
	if err != nil {
		return nil, fmt.Errorf("make the operator's signing key: %w", err)
	}
	a := &Accounts{
		Environment: environmentUUID, OperatorKey: string(seed),
		JWTs: map[string]string{}, IDs: map[string]string{}, SigningKeys: map[roleName]string{},
	}
	if err := a.makeAccounts(signer); err != nil {
		return nil, err
	}
	if err := a.AddAuthority(time.Now()); err != nil {
		return nil, err
	}
	return a, a.signOperator(operator, signer)
}

// makeAccounts needs the public keys of all accounts before it signs the first of them: an
// import names the account that it comes from.
func (a *Accounts) makeAccounts(signer nkeys.KeyPair) error {
	for _, name := range every {
		key, err := nkeys.CreateAccount()
		if err != nil {
			return fmt.Errorf("make the key of account %s: %w", name, err)
		}
		if a.IDs[name], err = key.PublicKey(); err != nil {
			return fmt.Errorf("make the key of account %s: %w", name, err)
		}
	}
	for _, r := range roles {
		key, err := nkeys.CreateAccount()
		if err != nil {
			return fmt.Errorf("make the signing key of %s: %w", r.name, err)
		}
		seed, err := key.Seed()
		if err != nil {
			return fmt.Errorf("make the signing key of %s: %w", r.name, err)
		}
		a.SigningKeys[r.name] = string(seed)
	}
	return a.signAccounts(signer)
}

// signAccounts makes the claims of all accounts of what roles.go and exports.go say. Those that
// say the same already stay as they are.
func (a *Accounts) signAccounts(signer nkeys.KeyPair) error {
	for _, name := range every {
		claims, err := a.accountClaims(name)
		if err != nil {
			return err
		}
		token, err := encode(claims, signer)
		if err != nil {
			return fmt.Errorf("sign account %s: %w", name, err)
		}
		if !sameClaims(a.JWTs[name], token) {
			a.JWTs[name] = token
		}
	}
	return nil
}

// sameClaims says whether two accounts allow the same. Who is refused (revocations), and when
// the claims were signed, is not compared.
func sameClaims(one, other string) bool {
	var texts [2][]byte
	for i, token := range []string{one, other} {
		claims, err := jwt.DecodeAccountClaims(token)
		if err != nil {
			return false
		}
		claims.ClaimsData, claims.Revocations = jwt.ClaimsData{}, nil
		if texts[i], err = json.Marshal(claims); err != nil {
			return false
		}
	}
	return bytes.Equal(texts[0], texts[1])
}

// signOperator names the system account and the signing key that signed the accounts.
func (a *Accounts) signOperator(operator, signer nkeys.KeyPair) error {
	public, err := operator.PublicKey()
	if err != nil {
		return fmt.Errorf("sign the operator: %w", err)
	}
	signs, err := signer.PublicKey()
	if err != nil {
		return fmt.Errorf("sign the operator: %w", err)
	}
	claims := jwt.NewOperatorClaims(public)
	claims.SigningKeys.Add(signs)
	claims.Name = "jujube-" + a.Environment
	claims.SystemAccount = a.IDs[names.AccountSystem]
	if a.Operator, err = claims.Encode(operator); err != nil {
		return fmt.Errorf("sign the operator: %w", err)
	}
	return nil
}

// accountClaims are an account's imports and exports, and a scoped signing key for each role
// in it. Only CONTROL has JetStream: the streams are there, and nowhere else.
func (a *Accounts) accountClaims(name string) (*jwt.AccountClaims, error) {
	claims := jwt.NewAccountClaims(a.IDs[name])
	if claims == nil {
		return nil, fmt.Errorf("account %s has no key", name)
	}
	claims.Name = name
	if name == names.AccountControl {
		claims.Limits.JetStreamLimits = jwt.JetStreamLimits{
			MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit,
			MaxAckPending: jwt.NoLimit, MemoryMaxStreamBytes: jwt.NoLimit, DiskMaxStreamBytes: jwt.NoLimit,
		}
	}
	a.share(name, claims)
	for _, r := range roles {
		if r.account != name || a.SigningKeys[r.name] == "" { // an environment of before may lack a role
			continue
		}
		signer, err := nkeys.FromSeed([]byte(a.SigningKeys[r.name]))
		if err != nil {
			return nil, fmt.Errorf("read the signing key of %s: %w", r.name, err)
		}
		scope, err := r.scope(signer)
		if err != nil {
			return nil, err
		}
		claims.SigningKeys.AddScopedSigner(scope)
	}
	return claims, nil
}

// AddAuthority makes another certificate authority. Clients that pin Certificates from then
// on believe it; it signs when those before it are retired.
func (a *Accounts) AddAuthority(now time.Time) error {
	authority, err := NewAuthority(a.Environment, now)
	if err != nil {
		return err
	}
	a.Authorities = append(a.Authorities, authority)
	return nil
}

// RetireAuthority takes the first authority out, so that the next one signs.
func (a *Accounts) RetireAuthority() error {
	if len(a.Authorities) < 2 {
		return errors.New("retire the certificate authority: there is no other one; nothing was changed; add one first")
	}
	a.Authorities = a.Authorities[1:]
	return nil
}

// Certificates are those of the authorities, in PEM: what everybody who connects pins.
func (a *Accounts) Certificates() string {
	var b strings.Builder
	for _, authority := range a.Authorities {
		b.WriteString(authority.Certificate)
	}
	return b.String()
}

// LoadAccounts reads what Save wrote. A file that others may read is refused. An earlier
// jujube may have written it: the claims are those of this one, signed anew where they differ.
func LoadAccounts(path string) (*Accounts, error) {
	b, err := host.ReadSecret(path)
	if err != nil {
		return nil, err
	}
	a := &Accounts{}
	if err := json.Unmarshal(b, a); err != nil {
		return nil, fmt.Errorf("read trust %s: %w", path, err)
	}
	if a.Operator == "" || a.JWTs[names.AccountControl] == "" || a.SigningKeys[roleAgent] == "" {
		return nil, fmt.Errorf("read trust %s: it names no operator or lacks an account", path)
	}
	if a.OperatorKey == "" {
		return nil, fmt.Errorf("read trust %s: it has no signing key of the operator: "+
			"a juju made it that could not revoke credentials; bootstrap a new environment", path)
	}
	if len(a.Authorities) == 0 {
		return nil, fmt.Errorf("read trust %s: it has no certificate authority: "+
			"a juju made it that did not encrypt its connections; bootstrap a new environment", path)
	}
	signer, err := nkeys.FromSeed([]byte(a.OperatorKey))
	if err == nil {
		err = a.signAccounts(signer)
	}
	if err != nil {
		return nil, fmt.Errorf("read trust %s: %w", path, err)
	}
	return a, nil
}

// Save writes the accounts as a secret, whole or not at all.
func (a *Accounts) Save(path string) error {
	b, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("write trust: %w", err)
	}
	return host.WriteFile(path, append(b, '\n'))
}
