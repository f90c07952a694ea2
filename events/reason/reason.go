// Package reason holds the one type of a refusal. It lies below every package that refuses
// something, so that all of them can use the same type; everybody else knows it as
// events.Reason.
package reason

import (
	"errors"
	"fmt"
)

// Reason is one cause of a refusal or a halt. The log and the bus carry it in this form. Its pointer is an
// error: a function that refuses something returns one.
type Reason struct {
	Code  string   `json:"code"`            // stable word, such as "agent-mismatch"; programs and documents go by it
	Text  string   `json:"text"`            // for a person
	About []string `json:"about,omitempty"` // tags and ids of what stands in the way
}

// Refuse makes a Reason from its code and a text for a person.
//
// Return the result as an error only where something was refused: an error that holds a nil
// *Reason is not nil.
func Refuse(code, format string, args ...any) *Reason {
	return &Reason{Code: code, Text: fmt.Sprintf(format, args...)}
}

// Error gives "code: text".
func (r *Reason) Error() string { return r.Code + ": " + r.Text }

// TextFirst is the same refusal as an error that reads "text (code)", for the end of a
// sentence. errors.As still finds the Reason in it.
func (r *Reason) TextFirst() error { return textFirst{r} }

type textFirst struct{ *Reason }

func (t textFirst) Error() string { return t.Text + " (" + t.Code + ")" }
func (t textFirst) Unwrap() error { return t.Reason }

// CodeOf gives the code of the first Reason that an error wraps, or "" when it wraps none.
func CodeOf(err error) string {
	var r *Reason
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}
