package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/host"
)

// Trust is the environment's NATS authority: the operator, the accounts and the keys
// that sign users into them. Bootstrap makes it; the state server keeps it, as a secret.
// The permissions that go with its keys stand in roles.go.
type Trust struct {
	Environment string              `json:"environment"`
	Operator    string              `json:"operator"`     // operator JWT
	Accounts    map[string]string   `json:"accounts"`     // account name → account JWT
	AccountIDs  map[string]string   `json:"account_ids"`  // account name → public key
	SigningKeys map[roleName]string `json:"signing_keys"` // name of a role → seed of its scoped signing key
	OperatorKey string              `json:"operator_key"` // seed of the operator's signing key, for what accounts revoke
	Authorities []Authority         `json:"authorities"`  // of certificates; the first signs, all are believed
}

// NewTrust makes the operator, the accounts and a scoped signing key for each role. The
// operator's and the accounts' own keys are forgotten. What stays is a signing key of the
// operator's: with it the state server says whom an account does not let in any more.
func NewTrust(environmentUUID string) (*Trust, error) {
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
	t := &Trust{
		Environment: environmentUUID, OperatorKey: string(seed),
		Accounts: map[string]string{}, AccountIDs: map[string]string{}, SigningKeys: map[roleName]string{},
	}
	keys := map[string]nkeys.KeyPair{}
	for _, name := range []string{accountSystem, accountControl, accountOperators, accountAgents, accountEnrol} {
		if keys[name], err = nkeys.CreateAccount(); err != nil {
			return nil, fmt.Errorf("make the key of account %s: %w", name, err)
		}
		if t.AccountIDs[name], err = keys[name].PublicKey(); err != nil {
			return nil, fmt.Errorf("make the key of account %s: %w", name, err)
		}
	}
	for name := range keys {
		claims, err := t.accountClaims(name)
		if err != nil {
			return nil, err
		}
		if t.Accounts[name], err = claims.Encode(signer); err != nil {
			return nil, fmt.Errorf("sign account %s: %w", name, err)
		}
	}
	if err := t.AddAuthority(time.Now()); err != nil {
		return nil, err
	}
	return t, t.signOperator(operator, signer)
}

// AddAuthority makes another certificate authority, which is believed from now on and
// signs when those before it are gone.
func (t *Trust) AddAuthority(now time.Time) error {
	a, err := NewAuthority(t.Environment, now)
	if err != nil {
		return err
	}
	t.Authorities = append(t.Authorities, a)
	return nil
}

// RetireAuthority takes the first authority out, so that the next one signs.
func (t *Trust) RetireAuthority() error {
	if len(t.Authorities) < 2 {
		return errors.New("retire the certificate authority: there is no other one; nothing was changed; add one first")
	}
	t.Authorities = t.Authorities[1:]
	return nil
}

// Certificates are those of the authorities, in PEM: what everybody who connects pins.
func (t *Trust) Certificates() string {
	var b strings.Builder
	for _, a := range t.Authorities {
		b.WriteString(a.Certificate)
	}
	return b.String()
}

func (t *Trust) signOperator(operator, signer nkeys.KeyPair) error {
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
	claims.Name = "jujube-" + t.Environment
	claims.SystemAccount = t.AccountIDs[accountSystem]
	if t.Operator, err = claims.Encode(operator); err != nil {
		return fmt.Errorf("sign the operator: %w", err)
	}
	return nil
}

func (t *Trust) accountClaims(name string) (*jwt.AccountClaims, error) {
	claims := jwt.NewAccountClaims(t.AccountIDs[name])
	claims.Name = name
	if name == accountControl {
		claims.Limits.JetStreamLimits = jwt.JetStreamLimits{
			MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit,
			MaxAckPending: jwt.NoLimit, MemoryMaxStreamBytes: jwt.NoLimit, DiskMaxStreamBytes: jwt.NoLimit,
		}
	}
	t.cross(name, claims)
	for _, r := range roles {
		if r.account != name {
			continue
		}
		signer, err := nkeys.CreateAccount()
		if err != nil {
			return nil, fmt.Errorf("make the signing key of %s: %w", r.name, err)
		}
		scope, err := r.scope(signer)
		if err != nil {
			return nil, err
		}
		claims.SigningKeys.AddScopedSigner(scope)
		seed, err := signer.Seed()
		if err != nil {
			return nil, fmt.Errorf("make the signing key of %s: %w", r.name, err)
		}
		t.SigningKeys[r.name] = string(seed)
	}
	return claims, nil
}

// AgentJWT signs a machine's agent in for the first time. machineTag is "machine-3".
func (t *Trust) AgentJWT(machineTag, publicKey string) (string, error) {
	return t.RenewedJWT(machineTag, publicKey, 0, time.Now().Add(settings.CredentialsLife))
}

// RenewedJWT signs a machine's agent in until ends. generation counts its renewals.
func (t *Trust) RenewedJWT(machineTag, publicKey string, generation uint64, ends time.Time) (string, error) {
	return t.user(roleAgent, machineTag, publicKey, func(c *jwt.UserClaims) {
		c.Expires = ends.Unix()
		c.Tags.Add(generationTag + strconv.FormatUint(generation, 10))
	})
}

// OperatorJWT signs an operator in who may ask for something. What he may ask for is
// judged by his grants, at the state server and at each machine.
func (t *Trust) OperatorJWT(name, publicKey string) (string, error) {
	return t.user(roleOperator, name, publicKey)
}

// ReaderJWT signs in an operator who may see everything and ask for nothing
// (events.RoleRead): NATS takes no request and no upload from him.
func (t *Trust) ReaderJWT(name, publicKey string) (string, error) {
	return t.user(roleReader, name, publicKey)
}

// StateServerJWT signs a state server in.
func (t *Trust) StateServerJWT(name, publicKey string) (string, error) {
	return t.user(roleStateServer, name, publicKey)
}

// EnrolCredentials makes a user that can do nothing but ask to be enrolled.
func (t *Trust) EnrolCredentials() (Credentials, error) {
	return t.credentials(roleEnrol, "enrol")
}

// SystemCredentials makes a user that can do nothing but say what accounts revoke.
func (t *Trust) SystemCredentials() (Credentials, error) {
	return t.credentials(roleSystem, "revoke")
}

func (t *Trust) credentials(role roleName, name string) (Credentials, error) {
	id, err := NewIdentity()
	if err != nil {
		return Credentials{}, err
	}
	token, err := t.user(role, name, id.Public())
	return Credentials{JWT: token, Seed: string(id.Seed())}, err
}

// user signs a user in with a role. The name becomes part of subjects, so only names
// that cannot be wildcards or several tokens are signed.
func (t *Trust) user(role roleName, name, publicKey string, more ...func(*jwt.UserClaims)) (string, error) {
	if name == "" || strings.ContainsAny(name, ".*> \t\r\n") || !nkeys.IsValidPublicUserKey(publicKey) {
		return "", fmt.Errorf("sign user %q with key %q in: the name or the key is malformed", name, publicKey)
	}
	signer, err := nkeys.FromSeed([]byte(t.SigningKeys[role]))
	if err != nil {
		return "", fmt.Errorf("sign user %s in: this environment's trust has no key of the role %s: %w", name, role, err)
	}
	claims := jwt.NewUserClaims(publicKey)
	claims.Name = name
	claims.IssuerAccount = t.AccountIDs[role.account()]
	claims.UserPermissionLimits = jwt.UserPermissionLimits{}
	for _, f := range more {
		f(claims)
	}
	token, err := claims.Encode(signer)
	if err != nil {
		return "", fmt.Errorf("sign user %s in: %w", name, err)
	}
	return token, nil
}

// LoadTrust reads what Save wrote. A file that others may read is refused.
func LoadTrust(path string) (*Trust, error) {
	b, err := host.ReadSecret(path)
	if err != nil {
		return nil, err
	}
	t := &Trust{}
	if err := json.Unmarshal(b, t); err != nil {
		return nil, fmt.Errorf("read trust %s: %w", path, err)
	}
	if t.Operator == "" || t.Accounts[accountControl] == "" || t.SigningKeys[roleAgent] == "" {
		return nil, fmt.Errorf("read trust %s: it names no operator or lacks an account", path)
	}
	if t.OperatorKey == "" {
		return nil, fmt.Errorf("read trust %s: it has no signing key of the operator: a juju made it that could not revoke credentials; bootstrap a new environment", path)
	}
	if len(t.Authorities) == 0 {
		return nil, fmt.Errorf("read trust %s: it has no certificate authority: a juju made it that did not encrypt its connections; bootstrap a new environment", path)
	}
	return t, nil
}

// Save writes the trust as a secret, whole or not at all.
func (t *Trust) Save(path string) error {
	b, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("write trust: %w", err)
	}
	return host.WriteFile(path, append(b, '\n'))
}

// The files of a separate nats-server's certificate.
const (
	NATSCertificate = "nats-certificate.pem"
	NATSKey         = "nats-key.pem"
)

// SaveNATSCertificate writes a certificate and its key for a separate nats-server that
// clients reach under names. Those there before are replaced, each whole or not at all.
func (t *Trust) SaveNATSCertificate(dir string, names []string, now time.Time) error {
	certificate, key, err := t.Authorities[0].Sign(names, now)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write the certificate: %w", err)
	}
	return errors.Join(host.WriteFile(filepath.Join(dir, NATSKey), []byte(key)), host.WriteFile(filepath.Join(dir, NATSCertificate), []byte(certificate)))
}

// NATSConfig is a configuration for a separate nats-server (2.15 or newer) that serves
// this environment: the same accounts, limits, durability and encryption as the embedded
// one. listen is HOST:PORT; tlsDir holds the server's certificate and key.
func (t *Trust) NATSConfig(listen, storeDir, tlsDir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# NATS for the environment %s. It holds no secret.\n", t.Environment)
	fmt.Fprintf(&b, "listen: %q\noperator: %s\nsystem_account: %s\n",
		listen, t.Operator, t.AccountIDs[accountSystem])
	fmt.Fprintf(&b, "# The state server tells it whose credentials were revoked; it keeps that there.\n")
	fmt.Fprintf(&b, "resolver: { type: full, dir: %q, allow_delete: false, interval: \"2m\" }\nresolver_preload: {\n", filepath.Join(storeDir, dirAccounts))
	for _, name := range []string{accountSystem, accountControl, accountOperators, accountAgents, accountEnrol} {
		fmt.Fprintf(&b, "  # %s\n  %s: %s\n", name, t.AccountIDs[name], t.Accounts[name])
	}
	fmt.Fprintf(&b, "}\njetstream: { store_dir: %q, sync_interval: always, max_file_store: %d }\n", storeDir, maxStoreBytes)
	fmt.Fprintf(&b, "max_payload: %d\nmax_connections: %d\nauthorization: { timeout: %d }\n",
		limits.PayloadBytes, limits.Connections, int(authTimeout/time.Second))
	fmt.Fprintf(&b, "tls: { cert_file: %q, key_file: %q, min_version: \"1.3\", handshake_first: true, timeout: %d }\n",
		filepath.Join(tlsDir, NATSCertificate), filepath.Join(tlsDir, NATSKey), int(authTimeout/time.Second))
	return b.String()
}
