package bus

import (
	"context"
	"errors"
	"time"
)

// While a state server takes over, or begins a new term, nobody serves its subjects although
// NATS answers. That ends by itself: after a crash the lease lasts for seconds, and a new term
// reads the log. takeover bounds how long a question is asked again meanwhile.
const (
	takeover = 10 * time.Second
	askAgain = 100 * time.Millisecond
)

// untilServed asks, and asks again while nobody serves the subject, until takeover or ctx is
// over. Then the error is still ErrNoStateServer, which says more than that of ctx.
func untilServed[A any](ctx context.Context, ask func(context.Context) (A, error)) (A, error) {
	ends, cancel := context.WithTimeout(ctx, takeover)
	defer cancel()
	for {
		answer, err := ask(ctx)
		if !errors.Is(err, ErrNoStateServer) {
			return answer, err
		}
		select {
		case <-time.After(askAgain):
		case <-ends.Done():
			return answer, err
		}
	}
}
