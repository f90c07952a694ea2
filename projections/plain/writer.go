package plain

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Lines is Text for what has several lines: line ends and tabs stay.
func Lines(s string) string {
	var b strings.Builder
	w := Writer{w: &b}
	_, _ = w.Write([]byte(s)) // a Builder takes everything
	if len(w.rest) > 0 {
		b.WriteString(`\ufffd`)
	}
	return b.String()
}

// Writer passes text on with everything that a terminal could obey written out, as JSON
// would write it, so that what was JSON still is. Line ends and tabs stay. It must not be
// used concurrently.
type Writer struct {
	w    io.Writer
	rest []byte // the beginning of a character whose end is not written yet
}

// NewWriter makes a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write writes b, but for the beginning of a character at its end.
func (w *Writer) Write(b []byte) (int, error) {
	text := append(w.rest, b...)
	var out []byte
	for len(text) > 0 && utf8.FullRune(text) {
		r, n := utf8.DecodeRune(text)
		if r == '\n' || r == '\t' || !unsafe(r) {
			out = append(out, text[:n]...)
		} else {
			out = append(out, escaped(r)...)
		}
		text = text[n:]
	}
	w.rest = append([]byte(nil), text...)
	if _, err := w.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// escaped writes a rune as JSON does.
func escaped(r rune) string {
	if r > 0xffff {
		high, low := utf16.EncodeRune(r)
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}
