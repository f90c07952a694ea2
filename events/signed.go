package events

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/strictjson"
)

// Signed is a statement and the signature of one operator over its exact bytes.
type Signed struct {
	Statement []byte `json:"statement"` // an Ask as JSON, exactly as signed
	Key       string `json:"key"`       // public nkey of the signer
	Signature []byte `json:"signature"` // ed25519 over PAE(SignedType(action), Statement)
}

// RequestType is part of what is signed for a request, so that the signature cannot be used as the
// signature of anything else. See PAE.
const RequestType = "jujube.request.v1"

// ApprovalType is the same for an approval. An approval can therefore never be shown as a request,
// nor a request as an approval.
const ApprovalType = "jujube.approval.v1"

// SignedType gives the type under which the statement of an action is signed.
func SignedType(action string) string {
	if action == ActionApprove {
		return ApprovalType
	}
	return RequestType
}

// PAE is the pre-authentication encoding: the bytes that are signed. It holds a type and a payload
// with their lengths, so that no two pairs give the same bytes. Source: DSSE v1.0.
func PAE(kind string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)
}

// MaxRequestBytes limits a signed request on the wire.
const MaxRequestBytes = limits.RequestBytes

// ParseSigned reads a signed request and trusts nothing in it. The caller checks the signature over
// PAE(SignedType(action), Statement) with Key before it uses the Ask. ParseSigned returns ErrInvalid
// for anything that is no signed request. It refuses unknown fields too: a newer client could ask
// for something that this version would silently leave out.
func ParseSigned(b []byte) (Signed, Ask, error) {
	var s Signed
	var a Ask
	if len(b) > MaxRequestBytes {
		return s, a, fmt.Errorf("%w: request of %d bytes, limit %d", ErrInvalid, len(b), MaxRequestBytes)
	}
	if err := strict(b, &s); err != nil {
		return s, a, fmt.Errorf("%w: request: %w", ErrInvalid, err)
	}
	if err := strict(s.Statement, &a); err != nil {
		return s, a, fmt.Errorf("%w: request statement: %w", ErrInvalid, err)
	}
	if !IsID(a.ID) || a.Action == "" || a.Created.IsZero() || a.Expires.IsZero() {
		return s, a, fmt.Errorf("%w: request without id, action, creation or expiry", ErrInvalid)
	}
	return s, a, nil
}

// strict decodes exactly one JSON value, without fields that v does not have.
// signedRules are what everything that is signed as JSON is held to: requests, approvals, and the
// payloads of records that a machine is told something by.
var signedRules = strictjson.Rules{Depth: 16, Null: true, Fields: true, Maps: []string{"env", "labels", "set_env"}}

// strict decodes what can be read in one way only, and has no field that v does not.
func strict(b []byte, v any) error {
	if err := signedRules.Check(b); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
