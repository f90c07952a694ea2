package host

import (
	"context"
	"math/rand/v2"
	"time"
)

// Wait waits for d, or until ctx ends; then it returns the error of ctx.
func Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Backoff is a row of pauses between tries that fail: from Min, each Factor times the one
// before, up to Max. It is a value without state, so that one declaration serves all who
// wait by it at the same time; the number of tries is an argument.
type Backoff struct {
	Min, Max time.Duration
	Factor   float64 // 0: 2
	// Jitter is how much of each pause is left to chance, from 0 to 1: with 0.2 a pause of
	// 10 s takes between 8 s and 10 s, with 1 between nothing and 10 s. It keeps a fleet from
	// asking all at the same moment.
	Jitter float64
}

// Pause is the pause after that many tries failed before this one: Pause(0) follows the
// first failure.
func (b Backoff) Pause(failed int) time.Duration {
	factor := b.Factor
	if factor == 0 {
		factor = 2
	}
	pause := float64(b.Min)
	for range failed {
		if pause *= factor; pause >= float64(b.Max) {
			break
		}
	}
	pause = min(pause, float64(b.Max))
	return time.Duration(pause - b.Jitter*pause*rand.Float64())
}

// Wait is [Wait] for Pause(failed).
func (b Backoff) Wait(ctx context.Context, failed int) error { return Wait(ctx, b.Pause(failed)) }

// Retry calls try until it returns nil, with pauses in between, or until ctx ends; then it
// returns the error of ctx. try says itself what went wrong, to whoever should know.
func (b Backoff) Retry(ctx context.Context, try func() error) error {
	for failed := 0; try() != nil; failed++ {
		if err := b.Wait(ctx, failed); err != nil {
			return err
		}
	}
	return nil
}
