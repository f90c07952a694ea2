package statesrv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// OpenOffline opens the log of a state server that is down, from its data directory: it copies
// the store into a temporary directory, and runs a NATS server on the copy in this process. The
// original is only read, and only while no jujud holds its lock. closeLog ends the server and
// removes the copy.
func OpenOffline(ctx context.Context, dataDir string) (log events.Log, closeLog func(), err error) {
	if err := host.CheckDirectory(dataDir); err != nil {
		return nil, nil, fmt.Errorf("read the log: %w", err)
	}
	tmp, err := os.MkdirTemp("", "jujube-log-")
	if err != nil {
		return nil, nil, fmt.Errorf("copy the log: %w", err)
	}
	cleanup := []func(){func() { _ = os.RemoveAll(tmp) }}
	closeAll := func() {
		for i := len(cleanup) - 1; i >= 0; i-- {
			cleanup[i]()
		}
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	accounts, err := server.LoadAccounts(TrustFile(dataDir))
	if err != nil {
		return nil, nil, fmt.Errorf("read the log of %s: %w", dataDir, err)
	}
	if err := copyStore(dataDir, tmp); err != nil {
		return nil, nil, fmt.Errorf("read the log of %s: %w", dataDir, err)
	}
	nats, err := server.Start(server.Config{Name: "offline", StoreDir: tmp, Local: true, Accounts: accounts})
	if err != nil {
		return nil, nil, fmt.Errorf("read the log of %s: %w", dataDir, err)
	}
	cleanup = append(cleanup, nats.Close)
	id, err := bus.NewIdentity()
	if err != nil {
		return nil, nil, err
	}
	token, err := accounts.OperatorJWT("offline", id.Public())
	if err != nil {
		return nil, nil, err
	}
	conn, err := bus.Connect(ctx, bus.ConnConfig{
		Server: nats, Name: "offline", Credentials: bus.Credentials{JWT: token, Seed: string(id.Seed())},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the log of %s: %w", dataDir, err)
	}
	cleanup = append(cleanup, conn.Close)
	return conn.Log(), closeAll, nil
}

// copyStore copies the JetStream store of a data directory while holding its lock, so
// that no state server can start and write meanwhile.
func copyStore(dataDir, to string) error {
	lock := filepath.Join(dataDir, "lock")
	if _, err := os.Stat(lock); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: no jujud ever ran there", err)
	}
	unlock, err := host.TryLock(lock)
	if errors.Is(err, host.ErrLocked) {
		return fmt.Errorf("its jujud is running: %w", err)
	}
	if err != nil {
		return err
	}
	defer unlock()
	return copyTree(StoreDir(dataDir), to)
}

// copyTree copies directories and regular files; there is nothing else in a store.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case d.Type().IsRegular():
			return copyFile(path, target)
		}
		return nil
	})
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
