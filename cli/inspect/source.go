package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/accepted"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// reader opens the log for the commands that only read it: status and audit.
type reader struct {
	stdout, stderr io.Writer
	screen         io.Writer // stdout without a filter, for the sequences that control a terminal
	// connect opens the environment's log over NATS.
	connect func(ctx context.Context) (logSource, error)
	// witness reads what this client has seen of the log.
	witness func() (*session.Witness, error)
	// verifies is set by the command that compares the whole log with what was seen, and says itself
	// what differs. For every other command the session has compared before anything is read.
	verifies bool
	// root is the root of the signed metadata that this client has pinned; empty: none.
	root func() (string, error)
	// offline opens the log of a state server that is down, from its data directory.
	offline func(ctx context.Context, dataDir string) (log events.Log, closeLog func(), err error)
	// dataDir is the state server's data directory if it lies on this host, else empty.
	dataDir func() string
}

// newReader makes a reader for the log of the chosen environment.
func newReader(a *app.App) *reader {
	r := &reader{
		stdout: a.Stdout, stderr: a.Stderr, screen: a.Screen,
		witness: func() (*session.Witness, error) {
			env, err := a.Chosen()
			if err != nil {
				return nil, err
			}
			return session.WitnessOf(a.Store(), env)
		},
		root: func() (string, error) {
			env, err := a.Chosen()
			if err != nil {
				return "", err
			}
			return accepted.Of(a.Store(), env.Name).Pinned()
		},
		offline: local.OpenLog,
		dataDir: func() string {
			env, err := a.Chosen()
			if err != nil {
				return ""
			}
			return env.StateServerDir()
		},
	}
	r.connect = func(ctx context.Context) (logSource, error) {
		connect := session.Connect
		if r.verifies {
			connect = session.ConnectToVerify
		}
		s, err := connect(ctx, a)
		if err != nil {
			return logSource{}, err
		}
		return logSource{log: s.Log(), ask: s, signed: s.Checkpoint, witness: s.Witness(), close: s.Close}, nil
	}
	return r
}

// logSource is an opened log: over a connection, or a copy on this host.
type logSource struct {
	log events.Log
	// ask asks the state server; nil for a copy.
	ask wire.Asker
	// signed gives the newest checkpoint that is kept beside the log, or bus.ErrNotFound.
	signed func(ctx context.Context) ([]byte, error)
	// witness is what this client has seen of the log.
	witness *session.Witness
	root    string // see reader.root
	close   func()
}

// keptCheckpoint reads the newest checkpoint that the state server on this host has written.
func keptCheckpoint(dataDir string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		note, err := host.ReadPinned(filepath.Join(dataDir, "server", "tree", "checkpoint"))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, bus.ErrNotFound
		}
		return note, err
	}
}

// open opens the log of the environment over NATS. If nothing answers there, and the state server's
// files are on this host, it opens a copy of them instead.
func (r *reader) open(ctx context.Context) (logSource, error) {
	root, err := r.root()
	if err != nil {
		return logSource{}, err
	}
	src, err := r.connect(ctx)
	if err == nil {
		src.root = root
		return src, nil
	}
	dir := r.dataDir()
	if dir == "" || errors.Is(err, bus.ErrDenied) || session.Unproved(err) {
		return logSource{}, err
	}
	w, werr := r.witness()
	if werr != nil {
		return logSource{}, werr
	}
	log, closeLog, offErr := r.offline(ctx, dir)
	if offErr != nil {
		return logSource{}, fmt.Errorf("%w; and from its files: %w", err, offErr)
	}
	fmt.Fprintf(r.stderr, "The environment does not answer; this is read from a copy of the log in %s.\n", dir)
	if !r.verifies {
		log = w.Hold(log)
	}
	return logSource{log: log, signed: keptCheckpoint(dir), witness: w, root: root, close: closeLog}, nil
}
