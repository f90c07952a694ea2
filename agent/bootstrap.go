package agent

import (
	"errors"

	"github.com/jujube-project/jujube/bus"
)

// Credentials are what a machine connects with.
type Credentials struct {
	Agent       bus.Credentials
	Renewal     bus.Credentials // with which the agent may ask for new credentials, and nothing else
	Authorities string          // PEM; the certificates that it believes
}

// Bootstrap writes the configuration and the credentials of machine 0, which is enrolled
// when its environment is made and not with a join token.
func (c Conf) Bootstrap(have Credentials) error {
	if err := c.Save(); err != nil { // it makes the directory
		return err
	}
	return errors.Join(
		bus.PinAuthorities(c.AuthoritiesFile(), have.Authorities),
		have.Agent.Save(c.CredentialsFile()),
		have.Renewal.Save(c.EnrolFile()),
	)
}
