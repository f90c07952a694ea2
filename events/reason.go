package events

import (
	"errors"

	"github.com/jujube-project/jujube/events/reason"
)

// Reason is one cause of a refusal or a halt. It is an error too: see package events/reason.
type Reason = reason.Reason

// Refuse makes a Reason from its code and a text for a person.
func Refuse(code, format string, args ...any) *Reason { return reason.Refuse(code, format, args...) }

// CodeOf gives the code of the first Reason that an error wraps, or "" when it wraps none.
func CodeOf(err error) string { return reason.CodeOf(err) }

// needReasons is part of Validate: at least one reason, and each with a code and a text.
func needReasons(rs []Reason) error {
	if len(rs) == 0 {
		return errors.New("no reason")
	}
	for _, r := range rs {
		if r.Code == "" || r.Text == "" {
			return errors.New("a reason without a code or a text")
		}
	}
	return nil
}
