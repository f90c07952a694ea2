package wire

import "github.com/jujube-project/jujube/events"

// EnrolRequest is what a host says that has a join token and wants to be a machine. Both the
// token's key and the host's own key sign it (bus.Conn.Enrol).
type EnrolRequest struct {
	Environment string `json:"environment"` // UUID, as the token says
	Machine     string `json:"machine"`     // id, as the token says
	TokenKey    string `json:"token_key"`   // public half of the token's key
	Key         string `json:"key"`         // public half of the key that the host has made: the machine's from now on
	Hostname    string `json:"hostname"`
	Host        string `json:"host"`    // sha256, in hex, of what tells this host from all others
	Version     string `json:"version"` // that it runs, such as "1.25.0-trusty-amd64"
}

// Enrolled is the answer to an EnrolRequest. If Refused is nil, the host is that machine now.
type Enrolled struct {
	Machine     string         `json:"machine"`
	Environment string         `json:"environment"`
	JWT         string         `json:"jwt"`  // signs the machine's key in
	URLs        []string       `json:"urls"` // of the environment's NATS servers
	Root        []byte         `json:"root"` // first root of the site's signed metadata
	Refused     *events.Reason `json:"refused,omitempty"`
}

// RenewRequest is what a machine says that wants new credentials. The machine's key signs it
// (bus.Conn.Renew). It may come after the old credentials have ended.
type RenewRequest struct {
	Environment string `json:"environment"`
	Machine     string `json:"machine"`
	Key         string `json:"key"`
	Generation  uint64 `json:"generation"` // of the credentials that it has
	// Nonce is made anew for each generation, kept on the machine's disk, and sent in every
	// attempt to get that generation. A second nonce for one generation tells the state server
	// that two hosts have the machine's files.
	Nonce string `json:"nonce"`
}

// Renewed is the answer to a RenewRequest. If Refused is nil, the machine has new credentials.
type Renewed struct {
	JWT         string         `json:"jwt"`
	URLs        []string       `json:"urls"`
	Authorities string         `json:"authorities"` // certificates that are to be believed from now on, PEM; empty: as before
	Refused     *events.Reason `json:"refused,omitempty"`
}
