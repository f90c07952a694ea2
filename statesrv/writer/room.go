package writer

import (
	"context"
	"time"

	"github.com/jujube-project/jujube/events"
)

// roomEvery is how often the writer looks for room while there is none.
const roomEvery = time.Second

// noRoom says why nothing may be written, and has senders that can wait do that; nil: there is room.
func (w *Writer) noRoom() *events.Reason {
	if w.cfg.Room == nil {
		return nil
	}
	why := w.cfg.Room()
	w.mu.Lock()
	defer w.mu.Unlock()
	switch had := w.hasRoom(); {
	case had && why != nil:
		w.roomy = make(chan struct{})
	case !had && why == nil:
		close(w.roomy)
	}
	return why
}

// hasRoom says whether there was room at the last look. The caller holds mu.
func (w *Writer) hasRoom() bool {
	select {
	case <-w.roomy:
		return true
	default:
		return false
	}
}

// hold keeps a change whose sender waits for room, and ends any other one with the reason. What is kept
// is no more than the queue held when the room went: SubmitWait lets nothing in until there is room.
func (w *Writer) hold(c Change, why *events.Reason) {
	if c.waits {
		w.held = append(w.held, c)
		return
	}
	c.end(0, why)
}

// resume goes on with what was kept, if there is room again.
func (w *Writer) resume(ctx context.Context) error {
	w.mu.Lock()
	had := w.hasRoom()
	w.mu.Unlock()
	if had || w.noRoom() != nil {
		return nil
	}
	return w.commitHeld(ctx)
}

// commitHeld commits what was kept, in its order.
func (w *Writer) commitHeld(ctx context.Context) error {
	held := w.held
	w.held = nil
	for len(held) > 0 {
		n := min(len(held), maxChanges)
		if err := w.Commit(ctx, held[:n]...); err != nil {
			stop(nil, held[n:])
			return err
		}
		held = held[n:]
	}
	return nil
}

// dropHeld ends what was kept: the writer goes. Only its goroutine calls it.
func (w *Writer) dropHeld() {
	stop(nil, w.held)
	w.held = nil
}

// awaitRoom waits until there is room. The error is ErrStopped or that of ctx.
func (w *Writer) awaitRoom(ctx context.Context) error {
	for {
		w.mu.Lock()
		roomy, has := w.roomy, w.hasRoom()
		w.mu.Unlock()
		if has {
			return nil
		}
		select {
		case <-roomy:
		case <-w.ended:
			return ErrStopped
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
