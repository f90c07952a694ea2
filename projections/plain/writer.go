package plain

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Lines is Text for several lines: it keeps line ends and tabs.
func Lines(s string) string {
	var b strings.Builder
	w := Writer{w: &b}
	_, _ = w.Write([]byte(s)) // writing to a Builder cannot fail
	if len(w.rest) > 0 {
		b.WriteString(`\ufffd`)
	}
	return b.String()
}

// Writer passes text on with a \u escape in place of everything that a terminal could obey. Text that is
// JSON stays JSON. Line ends and tabs are kept. A Writer must not be used concurrently.
type Writer struct {
	w    io.Writer
	rest []byte // the first bytes of a character whose last bytes have not come yet
}

// NewWriter makes a Writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write writes b. If b ends in the middle of a character, its first bytes wait for the next Write.
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
