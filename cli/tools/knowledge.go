package tools

import (
	"context"

	"github.com/jujube-project/jujube/events/wire"
)

// knower asks the state server about the environment and its store.
type knower interface {
	Environment(ctx context.Context) (wire.EnvironmentInfo, error)
	Stored(ctx context.Context) (wire.Catalogue, error)
}

// knowledge asks for the environment's settings and for what is stored.
func knowledge(ctx context.Context, s knower) (wire.EnvironmentInfo, wire.Catalogue, error) {
	env, err := s.Environment(ctx)
	if err != nil {
		return env, wire.Catalogue{}, err
	}
	c, err := s.Stored(ctx)
	return env, c, err
}
