package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events/bootstrap"
)

// program is a jujud that does what a shell script says.
func program(t *testing.T, script string) Jujud {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jujud")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return Jujud(path)
}

// A program that is no jujud may say anything for ever, or nothing and not end.
func TestAProgramThatIsNoJujudIsEnded(t *testing.T) {
	_, err := program(t, "exec yes").Version(t.Context())
	if err == nil || !strings.Contains(err.Error(), "broken pipe") {
		t.Errorf("a version without end: %v", err)
	}
	for script, want := range map[string]string{
		"echo garbage; exec sleep 60":        "looking for beginning of value",
		"exec yes":                           "bootstrap",
		"exec yes >&2":                       "bootstrap",
		"sleep 60 >&2 & echo no >&2":         "no",
		"echo 'ERROR disk full' >&2; exit 1": "disk full",
	} {
		_, err := program(t, script).Bootstrap(t.Context(), t.TempDir(), bootstrap.Plan{}, func(bootstrap.Keys) (bootstrap.Signed, error) {
			t.Errorf("%s: something was signed", script)
			return bootstrap.Signed{}, nil
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", script, err, want)
		}
	}
}
