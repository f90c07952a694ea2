package session

import (
	"context"

	"github.com/jujube-project/jujube/events/wire"
)

// Ask implements wire.Asker. It waits for the answer no longer than questionTimeout.
func (s *Session) Ask(ctx context.Context, query string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	return s.Conn.Ask(ctx, query, body)
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

// serverVersion asks for the version that the state server runs; false: none answers.
func (s *Session) serverVersion(ctx context.Context) (string, bool) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	answer, err := wire.Version.Ask(ctx, s.Conn, wire.Nothing{})
	return answer.Version.String(), err == nil
}
