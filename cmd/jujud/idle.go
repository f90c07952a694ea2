package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/jujube-project/jujube/host"
)

// idleAfter is how long after its start a process has done everything that only a start needs.
const idleAfter = 10 * time.Second

// becomeIdle gives memory back to the host once the process has started. The launcher and the
// agent then do little for weeks, beside workloads that need the memory.
func becomeIdle(ctx context.Context, log *slog.Logger) {
	if host.Wait(ctx, idleAfter) != nil {
		return
	}
	if err := host.ReleaseProgram(); err != nil {
		log.Debug("giving back memory", "err", err)
	}
}
