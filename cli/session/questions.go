package session

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jujube-project/jujube/events/wire"
)

// Ask asks the state server and decodes nothing.
func (s *Session) Ask(ctx context.Context, query string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	return s.Conn.Ask(ctx, query, body)
}

// Decode reads what a state server answered.
func Decode(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read the state server's answer: %w; it may be of another version than this juju", err)
	}
	return nil
}

// Environment asks for the environment's settings and its agent version.
func (s *Session) Environment(ctx context.Context) (wire.Environment, error) {
	var e wire.Environment
	b, err := s.Ask(ctx, "environment", nil)
	if err != nil {
		return e, err
	}
	return e, Decode(b, &e)
}

// Catalogue asks which tools the state server has, or can get from its sources.
func (s *Session) Catalogue(ctx context.Context) (wire.Catalogue, error) {
	return s.catalogue(ctx, nil)
}

// Stored asks which tools lie in the state server's store. No source is read.
func (s *Session) Stored(ctx context.Context) (wire.Catalogue, error) {
	return s.catalogue(ctx, []byte(wire.OnlyStored))
}

func (s *Session) catalogue(ctx context.Context, body []byte) (wire.Catalogue, error) {
	var c wire.Catalogue
	b, err := s.Ask(ctx, "tools", body)
	if err != nil {
		return c, err
	}
	return c, Decode(b, &c)
}

// serverVersion is what the state server runs, if there is one.
func (s *Session) serverVersion(ctx context.Context) (string, bool) {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	b, err := s.Conn.Ask(ctx, "version", nil)
	if err != nil {
		return "", false
	}
	var answer wire.Running
	err = Decode(b, &answer)
	return answer.Version.String(), err == nil
}
