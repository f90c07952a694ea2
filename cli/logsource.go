package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
)

// reader is what the commands that only read (status, audit) need of the program.
type reader struct {
	stdout, stderr io.Writer
	screen         io.Writer // stdout itself, for what a terminal is to obey
	// connect opens the environment's log over NATS.
	connect func(ctx context.Context) (logSource, error)
	// dataDir is the state server's data directory if it lies on this host, else empty.
	dataDir func() string
}

// logSource is where a command reads the log.
type logSource struct {
	log events.Log
	// ask asks the state server; nil for a copy read off line.
	ask   func(ctx context.Context, query string, body []byte) ([]byte, error)
	close func()
}

// sourceOf reads over a connection, which close ends.
func sourceOf(c *bus.Conn) logSource {
	return logSource{log: c.Log(), ask: c.Ask, close: c.Close}
}

// open opens the log of the environment: over NATS, or, when nothing answers there, as
// a copy of the state server's files if they lie on this host.
func (r *reader) open(ctx context.Context) (logSource, error) {
	src, err := r.connect(ctx)
	if err == nil {
		return src, nil
	}
	dir := r.dataDir()
	if dir == "" || errors.Is(err, bus.ErrDenied) {
		return logSource{}, err
	}
	log, closeLog, offErr := offlineLog(ctx, dir)
	if offErr != nil {
		return logSource{}, fmt.Errorf("%w; and from its files: %w", err, offErr)
	}
	fmt.Fprintf(r.stderr, "The environment does not answer; this is read from a copy of the log in %s.\n", dir)
	return logSource{log: log, close: closeLog}, nil
}
