package wire

import (
	"context"
	"encoding"
	"encoding/json"
	"fmt"
)

// Question is a question that a client asks the state server under a name. What it is about
// is a Q, the answer is an A. It changes nothing.
//
// Q and A travel as JSON, but for those that are an encoding.BinaryMarshaler: they travel as
// the bytes that they give (see raw.go).
type Question[Q, A any] struct{ Name string }

// Asker carries a question to the state server and brings its answer back. A connection of
// package bus is one.
type Asker interface {
	Ask(ctx context.Context, name string, body []byte) (answer []byte, err error)
}

// AskerFunc is an Asker.
type AskerFunc func(ctx context.Context, name string, body []byte) (answer []byte, err error)

// Ask calls f.
func (f AskerFunc) Ask(ctx context.Context, name string, body []byte) ([]byte, error) {
	return f(ctx, name, body)
}

// Ask asks the question and returns the answer. An error of the Asker is returned as it is.
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

// AnsweredBy makes f the answer to the question. f is not called when nobody can read what
// the question is about.
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

func pack(v any) ([]byte, error) {
	if raw, ok := v.(encoding.BinaryMarshaler); ok {
		return raw.MarshalBinary()
	}
	return json.Marshal(v)
}

func unpack(b []byte, v any) error {
	if raw, ok := v.(encoding.BinaryUnmarshaler); ok {
		return raw.UnmarshalBinary(b)
	}
	return json.Unmarshal(b, v)
}
