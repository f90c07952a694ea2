package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/events"
)

// The comments between which the codes stand in docs/SECURITY.md.
const (
	codesBegin = "<!-- the codes, generated from events.Codes by go generate ./events -->\n"
	codesEnd   = "<!-- end of the codes -->\n"
)

// withCodes replaces what stands between the two comments by the table of codes.
func withCodes(document string) (string, error) {
	before, rest, begins := strings.Cut(document, codesBegin)
	_, after, ends := strings.Cut(rest, codesEnd)
	if !begins || !ends {
		return "", errors.New("docs/SECURITY.md lacks the comments around the codes")
	}
	return before + codesBegin + codes(events.Codes) + "\n" + codesEnd + after, nil
}

// codes writes one table a group.
func codes(groups []events.CodeGroup) string {
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&b, "\n### %s\n\n| code | what it means | what to do |\n|---|---|---|\n", g.Title)
		for _, c := range g.Codes {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Word, c.Meaning, c.Next)
		}
	}
	return b.String()
}
