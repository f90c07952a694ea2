package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/statesrv/streams"
)

func (a *App) toolsKeyFile() string { return filepath.Join(a.data(), "tools.nkey") }

// toolsKey is this client's key for signing trees of tools, made when it is first needed.
func (a *App) toolsKey() (tools.Key, error) {
	id, err := a.loadToolsKey()
	if errors.Is(err, fs.ErrNotExist) {
		if id, err = bus.NewIdentity(); err == nil {
			err = errors.Join(os.MkdirAll(a.data(), 0o700), install.WriteFile(a.toolsKeyFile(), id.Seed()))
		}
	}
	if err != nil {
		return tools.Key{}, fmt.Errorf("get the key that signs trees of tools: %w", err)
	}
	return tools.NewKey(id.Public(), id.Sign, bus.Verify, time.Now), nil
}

// ownSigners is this client's key, if it has one: all that is believed without an
// environment. None is made, so that looking touches nothing.
func (a *App) ownSigners() ([]string, error) {
	id, err := a.loadToolsKey()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []string{id.Public()}, nil
}

func (a *App) loadToolsKey() (*bus.Identity, error) {
	name := a.toolsKeyFile()
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fail(fmt.Errorf("%s can be read by others", name), "It was not used.", "chmod 600 "+name)
	}
	seed, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return bus.ParseIdentity(seed)
}

// trusting believes these signers, and takes these sources unsigned. What sources have
// shown is remembered, so that they cannot go back.
func (a *App) trusting(signers, unsigned []string) streams.Trust {
	return streams.Trust{
		Verifier: tools.Keyring{Trusted: signers, Check: bus.Verify, Now: time.Now},
		Unsigned: unsigned, Seen: &streams.SeenFile{Path: filepath.Join(a.data(), "sources-seen.json")},
	}
}
