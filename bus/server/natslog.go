package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// natsLogger passes the log of the NATS server on, and keeps its last error: when NATS does
// not start, it says why in its log and nowhere else. By default a fatal line would end the
// process; here it closes a channel, and Start returns an error.
//
// NATS's notices are debug lines here: what it notices is of no use to an operator of an
// environment.
type natsLogger struct {
	to    *slog.Logger  // nil: silent
	fatal chan struct{} // closed by once, at the first fatal line
	once  sync.Once
	mu    sync.Mutex
	last  string // error
}

// why says why the server did not start.
func (l *natsLogger) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == "" {
		return fmt.Errorf("it took no connection within %v", startTimeout)
	}
	return errors.New(l.last)
}

func (l *natsLogger) log(level slog.Level, format string, v []any) {
	text := fmt.Sprintf(format, v...)
	if level >= slog.LevelError {
		l.mu.Lock()
		l.last = text
		l.mu.Unlock()
	}
	if l.to != nil {
		l.to.Log(context.Background(), level, format, "text", text, "from", "nats") // the format tells its kind, to whoever folds repeats
	}
}

func (l *natsLogger) Noticef(format string, v ...any) { l.log(slog.LevelDebug, format, v) }
func (l *natsLogger) Warnf(format string, v ...any)   { l.log(slog.LevelWarn, format, v) }
func (l *natsLogger) Errorf(format string, v ...any)  { l.log(slog.LevelError, format, v) }
func (l *natsLogger) Fatalf(format string, v ...any) {
	l.log(slog.LevelError, format, v)
	l.once.Do(func() { close(l.fatal) })
}
func (l *natsLogger) Debugf(format string, v ...any) { l.log(slog.LevelDebug, format, v) }
func (l *natsLogger) Tracef(format string, v ...any) { l.log(slog.LevelDebug, format, v) }
