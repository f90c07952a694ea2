// Package plain makes text safe to print on a terminal.
package plain

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Text returns s with everything that a terminal could obey written out: control
// characters (ESC becomes \x1b), marks that turn the direction of writing, and bytes
// that are no UTF-8. Line ends and tabs are control characters, too: the result is one
// line.
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

// JSON returns a JSON text with every rune that Text would write out as \u escapes. The
// text means the same afterwards: such runes stand in strings only. Line ends are kept.
func JSON(b []byte) []byte {
	i := 0
	for i < len(b) && b[i] < 0x7f {
		i++
	}
	if i == len(b) {
		return b // ASCII: the encoder has escaped what there was
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
