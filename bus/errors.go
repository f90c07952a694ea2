package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jujube-project/jujube/events"
)

// The errors that a caller of this package may branch on, with errors.Is. An error of NATS is
// translated to one of them here and nowhere else, by its code and never by its text.
var (
	// ErrNoStateServer: nobody serves the subject, because no state server leads at this
	// moment. What NATS does by itself still works: reading the log, and fetching tools.
	ErrNoStateServer = errors.New("no state server answers")
	// ErrDenied: NATS does not let this identity in, or does not let it do that.
	ErrDenied = errors.New("permission denied")
	// ErrNotFound: there is no message, object or stream under that name.
	ErrNotFound = errors.New("not found")
	// ErrExists: something else than what was offered is stored under that name.
	ErrExists = errors.New("exists already")
	// ErrSignature: the signature is not that key's over those bytes.
	ErrSignature = events.ErrSignature
	// ErrNoSpace: NATS has no room for more, on its disk or under its limit.
	ErrNoSpace = errors.New("the state server's store is full")
	// ErrUntrusted: what answers has no certificate of the authorities that are pinned, or
	// does not speak TLS 1.3. Nothing was sent to it.
	ErrUntrusted = errors.New("not this environment's server")
	// ErrTooLarge: it is over a limit of package limits. Nothing was sent, or stored.
	ErrTooLarge = errors.New("too large")
)

// JetStream's error codes that are translated. Source: nats-server, server/errors.json.
const (
	codeWrongLastSequence    jetstream.ErrorCode = 10071
	codeWrongLastSeqConstant jetstream.ErrorCode = 10164 // the same, while another message of that subject is in process
	codeMaxPerSubject        jetstream.ErrorCode = 10077 // stream store failed: maximum messages per subject
	codeStreamNotFound       jetstream.ErrorCode = 10059
	codeNoResources          jetstream.ErrorCode = 10023 // insufficient resources
	codeNoStorage            jetstream.ErrorCode = 10047 // insufficient storage resources available
)

// Translate wraps an error of NATS in the error of this package that says the same, if there
// is one. It is for the packages below this one.
func Translate(err error) error { return translate(err) }

// translate wraps an error of NATS in the error of this package that says the same. Another
// error is returned as it is.
func translate(err error) error {
	if err == nil {
		return nil
	}
	var api *jetstream.APIError
	var js jetstream.JetStreamError
	if errors.As(err, &js) && js.APIError() != nil {
		api = js.APIError()
	} else if !errors.As(err, &api) {
		api = nil
	}
	if api != nil {
		return translateCode(api.ErrorCode, api.Code, err)
	}
	switch {
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse),
		errors.Is(err, nats.ErrReconnectBufExceeded): // the connection is lost at this moment, and nothing is kept to be sent later
		return fmt.Errorf("%w: %w", ErrNoStateServer, err)
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrPermissionViolation):
		return fmt.Errorf("%w: %w", ErrDenied, err)
	case errors.Is(err, nats.ErrTimeout):
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return err
}

func translateCode(code jetstream.ErrorCode, status int, err error) error {
	switch {
	case code == codeWrongLastSequence, code == codeWrongLastSeqConstant:
		return fmt.Errorf("%w: %w", events.ErrConflict, err)
	case code == codeMaxPerSubject:
		return fmt.Errorf("%w: %w", ErrExists, err)
	case code == codeNoResources, code == codeNoStorage:
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	case code == codeStreamNotFound, status == 404:
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}
