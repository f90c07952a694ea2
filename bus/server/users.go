package server

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/settings"
)

// AgentJWT signs in a machine's agent for the first time. machineTag is "machine-3".
func (a *Accounts) AgentJWT(machineTag, publicKey string) (string, error) {
	return a.RenewedJWT(machineTag, publicKey, 0, time.Now().Add(settings.CredentialsLife))
}

// RenewedJWT signs in a machine's agent until ends. generation counts its renewals.
func (a *Accounts) RenewedJWT(machineTag, publicKey string, generation uint64, ends time.Time) (string, error) {
	return a.user(roleAgent, machineTag, publicKey, func(c *jwt.UserClaims) {
		c.Expires = ends.Unix()
		c.Tags.Add(names.GenerationTag + strconv.FormatUint(generation, 10))
	})
}

// OperatorJWT signs in an operator who may ask for something. What he may ask for is decided
// by his grants, at the state server and at each machine.
func (a *Accounts) OperatorJWT(name, publicKey string) (string, error) {
	return a.user(roleOperator, name, publicKey)
}

// ReaderJWT signs in an operator who may see everything and ask for nothing
// (events.RoleRead): NATS takes no request and no upload from him.
func (a *Accounts) ReaderJWT(name, publicKey string) (string, error) {
	return a.user(roleReader, name, publicKey)
}

// StateServerJWT signs in a state server.
func (a *Accounts) StateServerJWT(name, publicKey string) (string, error) {
	return a.user(roleStateServer, name, publicKey)
}

// EnrolCredentials makes a user that can only ask to be enrolled, and for new credentials.
func (a *Accounts) EnrolCredentials() (bus.Credentials, error) {
	return a.credentials(roleEnrol, "enrol")
}

// SystemCredentials makes a user that can only tell NATS what accounts revoke.
func (a *Accounts) SystemCredentials() (bus.Credentials, error) {
	return a.credentials(roleSystem, "revoke")
}

func (a *Accounts) credentials(role roleName, name string) (bus.Credentials, error) {
	id, err := bus.NewIdentity()
	if err != nil {
		return bus.Credentials{}, err
	}
	token, err := a.user(role, name, id.Public())
	return bus.Credentials{JWT: token, Seed: string(id.Seed())}, err
}

// user signs a user in with a role. NATS puts the name into the subjects that the user may
// use, so a name that would be several tokens of a subject, or a wildcard, is refused.
func (a *Accounts) user(role roleName, name, publicKey string, more ...func(*jwt.UserClaims)) (string, error) {
	if name == "" || strings.ContainsAny(name, ".*> \t\r\n") || !bus.IsPublicKey(publicKey) {
		return "", fmt.Errorf("sign in user %q with key %q: the name or the key is malformed", name, publicKey)
	}
	signer, err := nkeys.FromSeed([]byte(a.SigningKeys[role]))
	if err != nil {
		return "", fmt.Errorf("sign in user %s: this environment has no signing key of the role %s: %w", name, role, err)
	}
	claims := jwt.NewUserClaims(publicKey)
	claims.Name = name
	claims.IssuerAccount = a.IDs[role.account()]
	// The user gets the permissions and limits of the scope. NATS refuses a user with any of
	// his own (jwt, UserScope.ValidateScopedSigner).
	claims.UserPermissionLimits = jwt.UserPermissionLimits{}
	for _, f := range more {
		f(claims)
	}
	token, err := claims.Encode(signer)
	if err != nil {
		return "", fmt.Errorf("sign in user %s: %w", name, err)
	}
	return token, nil
}
