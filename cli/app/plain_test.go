package app

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"

	"github.com/jujube-project/jujube/events"
)

const hostile = "h\x1b]0;evil\a\x1b[2J\r\u202e\u2066\u009b31m\x00=cmd|' /C calc'!A0\U000e0001\xff"

// BI-98: errors, refusals, hints, messages and log lines that name what others have named
// cannot speak to the terminal.
func TestBI98Messages(t *testing.T) {
	var out bytes.Buffer
	a := &App{Stderr: &out, Stdin: strings.NewReader("")}
	a.Explain(Fail(errors.New(hostile), hostile, hostile))
	a.Explain(Refused{hostile, []events.Reason{{Code: hostile, Text: hostile}}})
	a.Say("%s and %v", hostile, errors.New(hostile))
	a.Confirm(hostile)
	slog.New(slog.NewTextHandler(&out, nil)).Info(hostile, "name", hostile, "err", errors.New(hostile))
	if strings.ContainsFunc(out.String(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		t.Errorf("BI-98: %q", out.String())
	}
	if strings.Count(out.String(), "=cmd") < 8 {
		t.Errorf("what was named is not there any more: %s", out.String())
	}
}
