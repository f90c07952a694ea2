package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jujube-project/jujube/cli/accepted"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// knownKeys are the public keys of an environment's log that this client believes: those of the
// roster in the newest signed metadata that it has accepted. As long as it has accepted none that
// names a key, it is the one that bootstrap pinned. There may be none at all.
func knownKeys(store app.Store, environment string) ([]string, error) {
	newest, err := accepted.Of(store, environment).Newest()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, unreadableKeys(err)
	}
	if logs := newest.Roster().Logs; len(logs) > 0 {
		return logs, nil
	}
	pinned, err := host.ReadPinned(store.LogKeysFile(environment))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadableKeys(err)
	}
	keys := strings.Fields(string(pinned))
	if len(keys) == 0 {
		return nil, unreadableKeys(fmt.Errorf("%s is empty", store.LogKeysFile(environment)))
	}
	return keys, nil
}

// unreadableKeys is the error of keys that should be there. To go on without them would mean to
// believe whatever is shown.
func unreadableKeys(err error) error {
	return app.Fail(fmt.Errorf("the keys by which this client knows the environment's log: %w", err), "Nothing was asked.",
		"put back a copy of the file; juju user accept takes the line of an admin once more")
}

// acceptMetadata asks for the environment's signed metadata, and accepts it if it follows on what was
// accepted before. Metadata that has expired is accepted, too: its keys are still its keys, and
// somebody must be able to sign it anew. The error is fs.ErrNotExist if no root is pinned.
func (s *Session) acceptMetadata(ctx context.Context) error {
	own := accepted.Of(s.app.Store(), s.Env.Name)
	if _, err := own.Anchor(); err != nil {
		return err
	}
	b, err := wire.Trust.Ask(ctx, s.conn, wire.Nothing{})
	if err != nil {
		return err
	}
	published, err := tuf.ParseBundle(b)
	if err == nil {
		_, err = own.Accept(published, time.Time{})
	}
	if err != nil {
		return app.Fail(fmt.Errorf("the environment's signed metadata is refused: %w", err), "Nothing was changed.", "")
	}
	return nil
}
