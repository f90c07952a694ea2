package wire

import "github.com/jujube-project/jujube/events"

// EnrolRequest is what a host with a join token says of itself.
type EnrolRequest struct {
	Environment string `json:"environment"`
	Machine     string `json:"machine"`
	TokenKey    string `json:"token_key"` // public half of the token
	Key         string `json:"key"`       // public nkey the host made
	Hostname    string `json:"hostname"`
	Host        string `json:"host"`    // digest of what tells the host from others, sha256 in hex
	Version     string `json:"version"` // binary version it runs
}

// Enrolled is the answer: the host is now that machine.
type Enrolled struct {
	Machine     string         `json:"machine"`
	Environment string         `json:"environment"`
	JWT         string         `json:"jwt"`
	URLs        []string       `json:"urls"`
	Root        []byte         `json:"root"` // first root of the site's signed metadata
	Refused     *events.Reason `json:"refused,omitempty"`
}

// RenewRequest is a machine's wish for new credentials. It may come after the old ones
// have ended.
type RenewRequest struct {
	Environment string `json:"environment"`
	Machine     string `json:"machine"`
	Key         string `json:"key"`
	Generation  uint64 `json:"generation"` // of the credentials that it has
	Nonce       string `json:"nonce"`      // the same in every try for the next generation: another one is another machine's
}

// Renewed is the answer.
type Renewed struct {
	JWT         string         `json:"jwt"`
	URLs        []string       `json:"urls"`
	Authorities string         `json:"authorities"` // certificates that are believed, PEM
	Refused     *events.Reason `json:"refused,omitempty"`
}
