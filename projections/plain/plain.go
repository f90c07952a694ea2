// Package plain makes text of others safe to print on a terminal: what a host calls itself, why a person
// asks for something, what a program wrote. Nothing in such text may move the cursor, change a color or
// hide other text.
package plain

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Text returns s with an escape sequence in place of everything that a terminal could obey: control
// characters (ESC becomes \x1b), characters that change the direction of writing, and bytes that are no
// UTF-8. Line ends and tabs are control characters too, so the result is one line.
func Text(s string) string {
	if !strings.ContainsFunc(s, unsafe) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unsafe(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func unsafe(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }

// JSON returns a JSON text in which \u escapes stand for the runes that Text escapes. The text means the
// same as before, because such runes stand in strings only. Line ends are kept.
func JSON(b []byte) []byte {
	i := 0
	for i < len(b) && b[i] < 0x7f {
		i++
	}
	if i == len(b) {
		return b // all ASCII: encoding/json has escaped the control characters
	}
	var out strings.Builder
	for _, r := range string(b) {
		switch {
		case r == '\n' || !unsafe(r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return []byte(out.String())
}
