package session

import (
	"context"
	"time"

	"github.com/jujube-project/jujube/events/wire"
)

// Ask implements wire.Asker. It waits for the answer no longer than questionTimeout. The state server
// has proved before that the log goes on from what this client has seen.
func (s *Session) Ask(ctx context.Context, query string, body []byte) ([]byte, error) {
	return s.Patient(questionTimeout).Ask(ctx, query, body)
}

// Patient asks as Ask does, and waits for an answer as long as it is told.
func (s *Session) Patient(timeout time.Duration) wire.Asker {
	return wire.AskerFunc(func(ctx context.Context, query string, body []byte) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		if err := s.prove(ctx); err != nil {
			return nil, err
		}
		return s.conn.Ask(ctx, query, body)
	})
}

// Environment asks for the environment's settings and its agent version.
func (s *Session) Environment(ctx context.Context) (wire.EnvironmentInfo, error) {
	return wire.Environment.Ask(ctx, s, wire.Nothing{})
}

// Catalogue asks which tools the state server has, or can get from its sources.
func (s *Session) Catalogue(ctx context.Context) (wire.Catalogue, error) {
	return wire.Tools.Ask(ctx, s, wire.WithSources)
}

// Stored asks which tools lie in the state server's store. No source is read.
func (s *Session) Stored(ctx context.Context) (wire.Catalogue, error) {
	return wire.Tools.Ask(ctx, s, wire.OnlyStored)
}

// Running asks what the state server runs, and whether it writes; false: none answers.
func Running(ctx context.Context, state wire.Asker) (wire.Running, bool) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	answer, err := wire.Version.Ask(ctx, state, wire.Nothing{})
	return answer, err == nil
}
