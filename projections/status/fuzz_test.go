package status_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/jujube-project/jujube/projections/status"
)

// Whatever a state server answers is written in every format, and a terminal obeys none of it.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"environment":{"name":"e","agent-version":"1.2.3"},"machines":{"1":{"agent-state":"started","dns-name":"\u001b[2J"}},` +
		`"services":{"web":{"units":{"web/0":{"machine":"1"}}}},"upgrade":{"blockers":[{"code":"x","text":"y"}],"waiting":[{"reason":"r","machines":["1"]}]}}`))
	f.Add([]byte(`{"environment":{"agent-version":"\u0085"},"machines":{"1":{"agent-state":"\u007f","agent-version":"\t"}},` +
		`"environment-status":{"upgrade-available":"\u0085"},"upgrade":{"id":"\u007f","from":"\u007f","to":"\u007f","state":"\u007f"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := status.Parse(b)
		if err != nil {
			return
		}
		for _, format := range status.Formats {
			var out bytes.Buffer
			if err := status.Write(&out, format, st, status.Options{}); err != nil {
				t.Fatal(err)
			}
			if strings.ContainsFunc(out.String(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
				t.Fatalf("%s: %q", format, out.String())
			}
		}
	})
}
