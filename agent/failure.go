package agent

import (
	"errors"
	"strings"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
)

// failure classes an error of a step by whose fault it is.
func failure(step string, err error) *events.Failure {
	if err == nil {
		return nil
	}
	f := &events.Failure{Step: step, Cause: events.CauseEnvironment, Code: events.CodeFailed, Text: err.Error()}
	for _, c := range []struct {
		is          error
		cause, code string
	}{
		{install.ErrNoSpace, events.CauseEnvironment, events.CodeNoSpace},
		{install.ErrSize, events.CauseArtifact, events.CodeArtefactLength},
		{install.ErrDigest, events.CauseArtifact, events.CodeArtefactHash},
		{install.ErrConflict, events.CauseOperator, events.CodeVersionInUse},
		{errBadArchive, events.CauseArtifact, events.CodeArchive},
		{errNoTools, events.CauseEnvironment, events.CodeUnavailable},
	} {
		if errors.Is(err, c.is) {
			f.Cause, f.Code = c.cause, c.code
			break
		}
	}
	f.Text = clipText(f.Text, maxText)
	return f
}

// What a failure says at most, in bytes; see events.Failure.
const (
	maxText   = limits.FailureText
	maxOutput = limits.FailureOutput
)

// clipText keeps the beginning of a text, as valid UTF-8.
func clipText(s string, limit int) string {
	return strings.ToValidUTF8(s[:min(len(s), limit)], "")
}

// lines keeps the last lines of a program's output.
func lines(out []byte) string {
	const most = 50
	s := strings.TrimSpace(strings.ToValidUTF8(string(out[max(0, len(out)-maxOutput):]), ""))
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-most):], "\n")
}
