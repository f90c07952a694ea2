package plain_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/jujube-project/jujube/projections/plain"
	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"host1":          "host1",
		"Gerät 7 日本":     "Gerät 7 日本",
		"\x1b[2J":        `\x1b[2J`,
		"a\nb\tc\r":      `a\nb\tc\r`,
		"\u009b1m":       `\u009b1m`,
		"abc\u202edef":   `abc\u202edef`,
		"\xff":           `\ufffd`,
		"\U000e0001":     `\U000e0001`,
		"del\x7f":        `del\x7f`,
		"space\u00a0out": `space\u00a0out`,
	} {
		if got := plain.Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

// The result of JSON means the same as before, and has nothing that a terminal obeys.
func TestJSONKeepsItsMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "s") + string(rapid.SampledFrom([]rune("\x1b\u009b\u202e\U000e0001\x7f€")).Draw(t, "r"))
		b, err := json.Marshal(map[string]string{"a": want})
		if err != nil {
			t.Fatal(err)
		}
		out := plain.JSON(b)
		if strings.ContainsFunc(string(out), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q", out)
		}
		var back map[string]string
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if back["a"] != want {
			t.Fatalf("%q became %q", want, back["a"])
		}
	})
}
