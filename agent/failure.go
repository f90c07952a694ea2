package agent

import (
	"errors"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
)

func (a *Agent) stage(e Stage) *events.Failure {
	return failure("stage", a.layout.Stage(e.Order.Tools, e.InUse...))
}

func (a *Agent) switchTo(o install.Order) *events.Failure {
	return failure("switch", a.layout.Switch(o.Tools.Version.String()))
}

// failure classes an error of a step by whose fault it is.
func failure(step string, err error) *events.Failure {
	if err == nil {
		return nil
	}
	f := &events.Failure{Step: step, Cause: events.CauseEnvironment, Code: "failed", Text: err.Error()}
	for _, c := range []struct {
		is          error
		cause, code string
	}{
		{install.ErrNoSpace, events.CauseEnvironment, "no-space"},
		{install.ErrSize, events.CauseArtifact, "wrong-size"},
		{install.ErrDigest, events.CauseArtifact, "wrong-hash"},
		{install.ErrConflict, events.CauseOperator, "version-in-use"},
		{errBadArchive, events.CauseArtifact, "bad-archive"},
		{errNoTools, events.CauseEnvironment, "unavailable"},
	} {
		if errors.Is(err, c.is) {
			f.Cause, f.Code = c.cause, c.code
			break
		}
	}
	f.Text = f.Text[:min(len(f.Text), 4000)]
	return f
}
