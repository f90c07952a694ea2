// Package strictjson looks at JSON that somebody signed, before it is decoded. It refuses what two
// readers could read in two ways, and what costs more than its size: bytes that are no UTF-8, a key
// that stands twice in one object, numbers that are no 64-bit integers, deep nesting, and anything
// behind the document. It decodes nothing: encoding/json does that, once this package agrees.
//
//	if err := (strictjson.Rules{Depth: 16, Null: true}).Check(b); err != nil { … }
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rules say what a document may have.
type Rules struct {
	Depth int  // levels of nesting; the document itself is the first
	Null  bool // a null may stand in it
	// Fields says that the keys of objects are names of fields, of a-z, 0-9 and _ alone. Without it
	// any key may stand, and two that differ in case only are the same key, as for encoding/json.
	Fields bool
	// Maps are the fields whose value is an object with keys of somebody's choice: names of
	// variables, labels. http_proxy and HTTP_PROXY are two keys there.
	Maps []string
}

// Check says what is wrong with a document; nil: it can be read in one way only.
func (r Rules) Check(b []byte) error {
	if !utf8.Valid(b) {
		return errors.New("it is not UTF-8")
	}
	w := walker{Rules: r, dec: json.NewDecoder(bytes.NewReader(b))}
	w.dec.UseNumber()
	if err := w.value(1, false); err != nil {
		return err
	}
	if _, err := w.dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind its end")
	}
	return nil
}

type walker struct {
	Rules
	dec *json.Decoder
}

// value reads one value at a depth. free says that the keys of an object are of somebody's choice.
func (w walker) value(depth int, free bool) error {
	t, err := w.dec.Token()
	if err != nil {
		return fmt.Errorf("it is not JSON: %w", err)
	}
	switch t := t.(type) {
	case json.Delim:
		if depth > w.Depth {
			return fmt.Errorf("it is nested deeper than %d levels", w.Depth)
		}
		if t == '{' {
			return w.object(depth, free)
		}
		return w.list(depth)
	case json.Number:
		if _, err := strconv.ParseInt(t.String(), 10, 64); err != nil {
			return fmt.Errorf("the number %.40s is no 64-bit integer", t)
		}
	case nil:
		if !w.Null {
			return errors.New("null stands in it")
		}
	}
	return nil
}

func (w walker) object(depth int, free bool) error {
	seen := map[string]bool{}
	for w.dec.More() {
		t, err := w.dec.Token()
		if err != nil {
			return fmt.Errorf("it is not JSON: %w", err)
		}
		key := fmt.Sprint(t)
		if w.Fields && !free && !isField(key) {
			return fmt.Errorf("the key %.80q is no name of a field", key)
		}
		same := key
		if !free {
			same = fold(key)
		}
		if seen[same] {
			return fmt.Errorf("the key %.80q stands twice", key)
		}
		seen[same] = true
		if err := w.value(depth+1, !free && slices.Contains(w.Maps, key)); err != nil {
			return err
		}
	}
	return w.end()
}

func (w walker) list(depth int) error {
	for w.dec.More() {
		if err := w.value(depth+1, false); err != nil {
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

// isField says whether encoding/json can take the key for no field but the one of that very name.
func isField(key string) bool {
	other := func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' }
	return key != "" && !strings.ContainsFunc(key, other)
}

// fold gives all keys that encoding/json takes for each other the same text: it folds simply, as
// Unicode does, so that the long s (U+017F) is an s and the sign of Kelvin (U+212A) a k.
func fold(key string) string {
	return strings.Map(func(c rune) rune {
		least := c
		for next := unicode.SimpleFold(c); next != c; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, key)
}
