package app

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/events"
)

// ErrUsage marks an error of the command line itself: exit code 2. Usage makes them.
var ErrUsage = errors.New("usage")

type usageError struct{ text string }

func (e usageError) Error() string        { return e.text }
func (e usageError) Is(target error) bool { return target == ErrUsage }

// Usage makes an error of the command line.
func Usage(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// hintError is an error that a person must act on: see Fail.
type hintError struct {
	err       error
	unchanged string
	next      string
}

func (e hintError) Error() string { return e.err.Error() }
func (e hintError) Unwrap() error { return e.err }

// Fail makes an error that a person must act on: what happened, what was not changed and
// what to type next. The last two may be empty.
func Fail(err error, unchanged, next string) error { return hintError{err, unchanged, next} }

// Refused is the error of a request that the state server refused, with every reason.
type Refused struct {
	What    string // what was asked
	Reasons []events.Reason
}

func (e Refused) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the state server refuses %s; nothing was changed:", e.What)
	for _, r := range e.Reasons {
		fmt.Fprintf(&b, "\n  %s: %s", r.Code, r.Text)
	}
	return b.String()
}
