package plain_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/jujube-project/jujube/projections/plain"
	"pgregory.net/rapid"
)

// BI-98: whatever is written, and however it is cut into pieces, a terminal obeys none of it, and JSON means
// the same as before.
func TestBI98Writer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "s") + string(rapid.SampledFrom([]rune("\x1b\u009b\u202e\U000e0001\x7f€")).Draw(t, "r"))
		b, err := json.Marshal([]string{want})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w := plain.NewWriter(&out)
		for len(b) > 0 {
			n := rapid.IntRange(1, len(b)).Draw(t, "n")
			if _, err := w.Write(b[:n]); err != nil {
				t.Fatal(err)
			}
			b = b[n:]
		}
		if strings.ContainsFunc(out.String(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q", out.String())
		}
		var back []string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back[0] != want {
			t.Fatalf("%q became %q: %v", want, back, err)
		}
	})
}

func TestLines(t *testing.T) {
	for in, want := range map[string]string{
		"a\nb\tc":      "a\nb\tc",
		"\x1b[2J\r\n":  `\u001b[2J\u000d` + "\n",
		"a\xff":        `a\ufffd`,
		"a\xe2\x82":    `a\ufffd`,
		"abc\u202edef": `abc\u202edef`,
		"Gerät 日本":     "Gerät 日本",
	} {
		if got := plain.Lines(in); got != want {
			t.Errorf("Lines(%q) = %q, want %q", in, got, want)
		}
	}
}
