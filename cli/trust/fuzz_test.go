package trust

import (
	"strings"
	"testing"
)

func FuzzParseInvitation(f *testing.F) {
	f.Add("jujube-user1.e30")
	f.Add(invitation{Name: "prod", UUID: "u", Operator: "bob", URLs: []string{"tls://h:1"}, Anchor: strings.Repeat("a", 64)}.String())
	f.Fuzz(func(t *testing.T, line string) {
		if i, err := parseInvitation(line); err == nil && (i.Name == "" || i.Authorities == "") {
			t.Errorf("%q was read as %+v", line, i)
		}
	})
}
