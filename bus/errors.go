package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/events"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What a caller of this package may branch on. NATS errors are translated to them once,
// in this file, by code and never by text.
var (
	// ErrNoStateServer: nobody serves the subject. The state server is down or deposed;
	// what is durable (requests, the log) still works.
	ErrNoStateServer = errors.New("no state server answers")
	// ErrDenied: this identity may not do that.
	ErrDenied = errors.New("permission denied")
	// ErrNotFound: there is nothing under that name.
	ErrNotFound = errors.New("not found")
	// ErrExists: the name is taken, by something else than what was offered.
	ErrExists = errors.New("exists already")
	// ErrSignature: the signature is not that key's over those bytes.
	ErrSignature = events.ErrSignature
	// ErrNoSpace: the store has no room for more.
	ErrNoSpace = errors.New("the state server's store is full")
	// ErrUntrusted: what answers is not the environment's server, as far as the pinned
	// certificates tell. Nothing was sent to it.
	ErrUntrusted = errors.New("not this environment's server")
	// ErrTooLarge: over a limit of package limits.
	ErrTooLarge = errors.New("too large")
	// ErrTooOften: a machine says more than it may; what is over the limit is not heard.
	ErrTooOften = errors.New("too many messages of one machine")
)

// JetStream error codes that have a meaning here. Source: nats-server errors.json.
const (
	codeWrongLastSequence    jetstream.ErrorCode = 10071
	codeWrongLastSeqConstant jetstream.ErrorCode = 10164
	codeMaxPerSubject        jetstream.ErrorCode = 10077 // stream store failed: maximum messages per subject
	codeStreamNotFound       jetstream.ErrorCode = 10059
	codeNoResources          jetstream.ErrorCode = 10023 // insufficient resources
	codeNoStorage            jetstream.ErrorCode = 10047 // insufficient storage resources available
)

// Translate is for the packages below this one: it turns an error of NATS into one of this
// package, if there is one that says the same, and keeps the original text.
func Translate(err error) error { return translate(err) }

// translate turns a NATS error into one of ours, keeping the original text.
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
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse):
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
