package wire

import (
	"bytes"
	"encoding/json"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/strictjson"
)

// EnrolRequest is what a host says that has a join token and wants to be a machine. Both the
// token's key and the host's own key sign it (SealEnrolment).
type EnrolRequest struct {
	Environment string `json:"environment"` // UUID, as the token says
	Machine     string `json:"machine"`     // id, as the token says
	TokenKey    string `json:"token_key"`   // public half of the token's key
	Key         string `json:"key"`         // public half of the key that the host has made: the machine's from now on
	Hostname    string `json:"hostname"`
	Host        string `json:"host"`    // sha256, in hex, of what tells this host from all others
	Version     string `json:"version"` // that it runs, such as "1.25.0-trusty-amd64"
}

// sealedEnrolment carries the exact bytes that both keys signed, so that they need not be
// made a second time, in the same form, to check the signatures.
type sealedEnrolment struct {
	Request []byte `json:"request"`
	ByToken []byte `json:"by_token"` // the token's key signed: whoever asks is invited
	ByKey   []byte `json:"by_key"`   // the host's key signed: whoever asks has that key
}

// enrolType stands in what is signed, so that a signature of an enrolment can be used for
// nothing else, and no other signature for an enrolment.
const enrolType = "jujube.enrol.v1"

// EnrolHostType is the type of what the host's key signs of an enrolment.
const EnrolHostType = enrolType + ".host"

// SealEnrolment signs an enrolment with the token's key and with the host's own. Those bytes go over
// the bus, and into the log.
func SealEnrolment(r EnrolRequest, token, host events.Signer) ([]byte, error) {
	var sealed sealedEnrolment
	var err error
	if sealed.Request, err = json.Marshal(r); err != nil {
		return nil, err
	}
	if sealed.ByToken, err = token.Sign(events.PAE(enrolType+".token", sealed.Request)); err != nil {
		return nil, err
	}
	if sealed.ByKey, err = host.Sign(events.PAE(EnrolHostType, sealed.Request)); err != nil {
		return nil, err
	}
	return json.Marshal(sealed)
}

// OpenEnrolment reads what SealEnrolment made, and checks both signatures.
func OpenEnrolment(data []byte) (EnrolRequest, error) {
	sealed, req, err := readEnrolment(data)
	if err != nil {
		return req, err
	}
	if err := events.CheckSignature(req.TokenKey, events.PAE(enrolType+".token", sealed.Request), sealed.ByToken); err != nil {
		return req, events.Refuse(events.CodeTokenProof, "check the token of an enrolment: %v", err)
	}
	if err := events.CheckSignature(req.Key, events.PAE(EnrolHostType, sealed.Request), sealed.ByKey); err != nil {
		return req, events.Refuse(events.CodePossession, "check the host's key of an enrolment: %v", err)
	}
	return req, nil
}

// ReadEnrolment is OpenEnrolment for who has checked the signatures before.
func ReadEnrolment(data []byte) (EnrolRequest, error) {
	_, req, err := readEnrolment(data)
	return req, err
}

func readEnrolment(data []byte) (sealed sealedEnrolment, req EnrolRequest, err error) {
	err = DecodeSigned(data, &sealed)
	if err == nil {
		err = DecodeSigned(sealed.Request, &req)
	}
	if err != nil {
		err = events.Refuse(events.CodeTokenMalformed, "read enrolment: %v", err)
	}
	return sealed, req, err
}

// sealedRules are what statements of hosts and machines are held to.
var sealedRules = strictjson.Rules{Depth: 4, Fields: true}

// DecodeSigned takes what can be read in one way only, and has no field that it does not know: a
// statement must not be half understood.
func DecodeSigned(statement []byte, v any) error {
	if err := sealedRules.Check(statement); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(statement))
	d.DisallowUnknownFields()
	return d.Decode(v)
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
