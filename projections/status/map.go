package status

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/jujube-project/jujube/projections"
)

// Map is a list of named things in the order of projections.CompareNames (2 before 10). In JSON it is an
// object whose keys are in this order.
type Map[T any] []Entry[T]

// Entry is one thing in a Map, with its name.
type Entry[T any] struct {
	Name  string
	Value T
}

// Get finds the thing of that name.
func (m Map[T]) Get(name string) (T, bool) {
	i, ok := slices.BinarySearchFunc(m, name, func(e Entry[T], name string) int {
		return projections.CompareNames(e.Name, name)
	})
	if !ok {
		var zero T
		return zero, false
	}
	return m[i].Value, true
}

// MarshalJSON writes an object with its keys in order.
func (m Map[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	b.WriteByte('{')
	for i := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(m[i].Name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(&m[i].Value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads an object and puts its keys in order.
func (m *Map[T]) UnmarshalJSON(b []byte) error {
	var values map[string]T
	if err := json.Unmarshal(b, &values); err != nil {
		return err
	}
	*m = ordered(values, func(v T) T { return v })
	return nil
}

// ordered makes a Map of the results of f for all values.
func ordered[V, T any](values map[string]V, f func(V) T) Map[T] {
	names := slices.SortedFunc(maps.Keys(values), projections.CompareNames)
	m := make(Map[T], len(names))
	for i, name := range names {
		m[i] = Entry[T]{name, f(values[name])}
	}
	return m
}
