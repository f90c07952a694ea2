package wire

import (
	"context"
	"encoding"
	"encoding/json"
	"fmt"
)

// Question is a question that a client may ask a state server: its name, the type Q of what it
// is about, and the type A of its answer. Asking changes nothing.
//
// Q and A travel as JSON. A type that implements encoding.BinaryMarshaler and
// encoding.BinaryUnmarshaler travels as the bytes that these give and take (raw.go).
type Question[Q, A any] struct{ Name string }

// Asker carries a question to a state server and brings the answer back. A *bus.Conn is one.
type Asker interface {
	Ask(ctx context.Context, name string, body []byte) (answer []byte, err error)
}

// AskerFunc makes an Asker of a func.
type AskerFunc func(ctx context.Context, name string, body []byte) (answer []byte, err error)

// Ask calls f.
func (f AskerFunc) Ask(ctx context.Context, name string, body []byte) ([]byte, error) {
	return f(ctx, name, body)
}

// Ask asks the question and returns the answer. It returns an error of by as it is.
func (q Question[Q, A]) Ask(ctx context.Context, by Asker, about Q) (answer A, err error) {
	body, err := pack(about)
	if err != nil {
		return answer, fmt.Errorf("ask for %s: %w", q.Name, err)
	}
	b, err := by.Ask(ctx, q.Name, body)
	if err != nil {
		return answer, err
	}
	if err := unpack(b, &answer); err != nil {
		return answer, fmt.Errorf("read the state server's answer: %w; it may be of another version than this juju", err)
	}
	return answer, nil
}

// An Answer is how a state server answers one question.
type Answer struct {
	Name   string
	Answer func(ctx context.Context, body []byte) (answer []byte, err error)
}

// AnsweredBy makes an Answer of f. If what comes as a Q cannot be read, f is not called.
func (q Question[Q, A]) AnsweredBy(f func(ctx context.Context, about Q) (A, error)) Answer {
	return Answer{q.Name, func(ctx context.Context, body []byte) ([]byte, error) {
		var about Q
		if err := unpack(body, &about); err != nil {
			return nil, fmt.Errorf("read the question: %w", err)
		}
		answer, err := f(ctx, about)
		if err != nil {
			return nil, err
		}
		return pack(answer)
	}}
}

// QuestionName is the name under which the question travels.
func (q Question[Q, A]) QuestionName() string { return q.Name }

// pack makes the bytes of a Q or an A.
func pack(v any) ([]byte, error) {
	if raw, ok := v.(encoding.BinaryMarshaler); ok {
		return raw.MarshalBinary()
	}
	return json.Marshal(v)
}

// unpack reads a Q or an A.
func unpack(b []byte, v any) error {
	if raw, ok := v.(encoding.BinaryUnmarshaler); ok {
		return raw.UnmarshalBinary(b)
	}
	return json.Unmarshal(b, v)
}
