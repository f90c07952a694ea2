package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections/plain"
)

// errUsage marks an error of the command line itself: exit code 2.
var errUsage = errors.New("usage")

type usageError struct{ text string }

func (e usageError) Error() string        { return e.text }
func (e usageError) Is(target error) bool { return target == errUsage }

func usage(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// hintError is an error that a person must act on: what happened, what was not changed,
// what to type next.
type hintError struct {
	err       error
	unchanged string
	next      string
}

func (e hintError) Error() string { return e.err.Error() }
func (e hintError) Unwrap() error { return e.err }

// fail makes an error with what was not changed and what to type next; either may be
// empty.
func fail(err error, unchanged, next string) error { return hintError{err, unchanged, next} }

// explain writes an error for a person.
func (a *App) explain(err error) {
	fmt.Fprintln(a.Stderr, "ERROR", plain.Lines(err.Error()))
	var h hintError
	if !errors.As(err, &h) {
		return
	}
	if h.unchanged != "" {
		fmt.Fprintln(a.Stderr, "      ", plain.Lines(h.unchanged))
	}
	if h.next != "" {
		fmt.Fprintln(a.Stderr, "Next: ", plain.Lines(h.next))
	}
}

// refusedError is a refusal by the state server, with every reason.
type refusedError struct {
	what    string
	reasons []events.Reason
}

func (e refusedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the state server refuses %s; nothing was changed:", e.what)
	for _, r := range e.reasons {
		fmt.Fprintf(&b, "\n  %s: %s", r.Code, r.Text)
	}
	return b.String()
}
