package writer

import (
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
)

// Decide decides on one input. It is called by the writer's goroutine, and it is called
// again when its records do not fit into a batch that others have begun, so it must have no
// effect but its answer. With an error nothing is recorded, and the error is the answer.
type Decide func(at decide.At) (decide.Decision, error)

// Change is one input to the writer.
type Change struct {
	Decide Decide

	// Done is called once, when everything that Decide decided is on disk: with the
	// sequence of its last record, or of the log's end if it decided nothing. With an error
	// nothing of it was recorded; see NotStored. It may be nil, and must not wait.
	Done func(seq uint64, err error)

	view  func(s *projections.State) // instead of Decide: looks at committed state only
	waits bool                       // its sender waits until there is room
}

// Errors that a change ends with, beside those of its own decision.
var (
	// ErrBusy: the queue is full. The sender tries again later.
	ErrBusy = errors.New("the state server is busy; try again")

	// ErrStopped: the writer no longer leads or runs. It is unknown whether the change was
	// stored; sending it again does no harm.
	ErrStopped = errors.New("the state server is stopping; try again")

	// ErrTooMuch: one decision has more records than a batch takes.
	ErrTooMuch = fmt.Errorf("it would take more than %d records at once", events.MaxBatch)
)

// NotStored says whether err means "send it again", not that the change was refused.
func NotStored(err error) bool {
	return errors.Is(err, ErrBusy) || errors.Is(err, ErrStopped) || events.CodeOf(err) == events.CodeDiskFull
}

func (c Change) end(seq uint64, err error) {
	if c.Done != nil {
		c.Done(seq, err)
	}
}
