package tuf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// strict walks one JSON document. It refuses what two parsers could read in two ways, or what costs
// more than its size: bytes that are no UTF-8, more than MaxDepth levels, a key that stands twice in
// one object, numbers that are no 64-bit integers, and anything behind the document. Two keys that
// differ in case only are the same key here, as they are for encoding/json.
func strict(b []byte) error { return walk(b, true) }

// strictest refuses null as well: go-tuf would decode it as a nil pointer and follow that.
func strictest(b []byte) error { return walk(b, false) }

func walk(b []byte, null bool) error {
	if !utf8.Valid(b) {
		return errors.New("it is not UTF-8")
	}
	w := walker{dec: json.NewDecoder(bytes.NewReader(b)), null: null}
	w.dec.UseNumber()
	if err := w.value(1); err != nil {
		return err
	}
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind its end")
	}
	return nil
}

type walker struct {
	dec  *json.Decoder
	null bool // allowed
}

// value reads one value at a depth. The document itself is at depth 1.
func (w walker) value(depth int) error {
	t, err := w.dec.Token()
	if err != nil {
		return fmt.Errorf("it is not JSON: %w", err)
	}
	switch t := t.(type) {
	case json.Delim:
		if depth > MaxDepth {
			return fmt.Errorf("it is nested deeper than %d levels", MaxDepth)
		}
		if t == '{' {
			return w.object(depth)
		}
		return w.list(depth)
	case json.Number:
		if _, err := strconv.ParseInt(t.String(), 10, 64); err != nil {
			return fmt.Errorf("the number %.40s is no 64-bit integer", t)
		}
	case nil:
		if !w.null {
			return errors.New("null stands in it")
		}
	}
	return nil
}

func (w walker) object(depth int) error {
	seen := map[string]bool{}
	for w.dec.More() {
		t, err := w.dec.Token()
		if err != nil {
			return fmt.Errorf("it is not JSON: %w", err)
		}
		key := fmt.Sprint(t)
		folded := strings.ToLower(key)
		if seen[folded] {
			return fmt.Errorf("the key %.80q stands twice", key)
		}
		seen[folded] = true
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	return w.end()
}

func (w walker) list(depth int) error {
	for w.dec.More() {
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	return w.end()
}

func (w walker) end() error {
	if _, err := w.dec.Token(); err != nil {
		return fmt.Errorf("it is not JSON: %w", err)
	}
	return nil
}
