package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/jujube-project/jujube/events/limits"
)

// Signed is a statement and one operator's signature over its exact bytes.
type Signed struct {
	Statement []byte `json:"statement"` // an Ask as JSON, exactly as signed
	Key       string `json:"key"`       // public nkey of the signer
	Signature []byte `json:"signature"` // ed25519 over PAE(RequestType, Statement)
}

// RequestType separates the signature of a request from every other use of the key.
const RequestType = "jujube.request.v1"

// ApprovalType separates the signature of an approval from that of a request: neither can
// be shown as the other.
const ApprovalType = "jujube.approval.v1"

// SignedType is the type under which an action's statement is signed.
func SignedType(action string) string {
	if action == ActionApprove {
		return ApprovalType
	}
	return RequestType
}

// PAE is the pre-authentication encoding that is signed: type and payload with their
// lengths, so that no two pairs give the same bytes. Source: DSSE v1.0.
func PAE(kind string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)
}

// MaxRequestBytes limits a signed request on the wire.
const MaxRequestBytes = limits.RequestBytes

// ParseSigned reads a signed request without trusting it: the caller checks the
// signature over PAE(SignedType(action), Statement) with Key before it believes the Ask.
// Unknown fields are refused: an operator never asks for something that a state
// server of this version would silently leave out.
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

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("bytes behind the end")
	}
	return nil
}
