package statesrv

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
)

// room watches the disk of an embedded NATS. The writer asks it before each batch, and writes nothing
// while the disk has less than limits.DiskFloor: whatever fills a disk, the last of it is left to
// what keeps the state server alive, such as its lease. Reads go on meanwhile. When there is room again,
// the store of NATS is opened anew, because a write that has failed closes a stream for good, and the
// writer goes on by itself.
//
// A disk can be filled between two looks. For that there is the reserve: a file that is removed when
// NATS did not take what the writer wrote although there seemed to be room.
type room struct {
	dir    string       // of NATS; empty: NATS is elsewhere, and of its disk nothing is known
	reopen func() error // opens the store of NATS anew
	logger *slog.Logger

	mu   sync.Mutex     // guards full; it is held while the store is opened, so that this happens once at a time
	full *events.Reason // why nothing is written; nil: there is room
}

func newRoom(cfg *Config) *room {
	r := &room{dir: cfg.StoreDir, reopen: cfg.Reopen, logger: cfg.Logger}
	if r.dir != "" {
		r.reserve()
	}
	return r
}

// left says why nothing may be written, with events.CodeDiskFull; nil: there is room.
func (r *room) left() *events.Reason {
	if r.dir == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	need := int64(limits.DiskFloor)
	if r.full != nil {
		need = limits.DiskAgain
	}
	why := r.look(need)
	switch {
	case why != nil && r.full == nil:
		r.logger.Error("nothing is written any more", "err", why)
	case why == nil && r.full != nil:
		if why = r.again(); why == nil {
			r.logger.Info("there is room on the disk again; going on")
		}
	}
	r.full = why
	return why
}

// look says what the disk lacks; nil: need bytes are free, and files can be made. The caller holds mu.
func (r *room) look(need int64) *events.Reason {
	var st unix.Statfs_t
	if err := unix.Statfs(r.dir, &st); err != nil {
		return events.Refuse(events.CodeDiskFull, "how much room the disk of %s has cannot be found out: %v", r.dir, err)
	}
	free := int64(st.Bavail) * st.Bsize
	switch {
	case free < need:
		return events.Refuse(events.CodeDiskFull, "the state server writes nothing, because its disk is full: %s has %d MiB free and needs %d; "+
			"it goes on by itself when there is room", r.dir, free>>20, need>>20)
	case st.Files > 0 && st.Ffree < limits.DiskFiles:
		return events.Refuse(events.CodeDiskFull, "the state server writes nothing, because its disk takes no more files: %s can hold %d more and needs %d; "+
			"it goes on by itself when there is room", r.dir, st.Ffree, limits.DiskFiles)
	}
	return nil
}

// again opens the store anew, now that there is room. The caller holds mu.
func (r *room) again() *events.Reason {
	if err := r.reopen(); err != nil {
		return events.Refuse(events.CodeDiskFull, "there is room on the disk again, but: %v; it is tried again", err)
	}
	r.reserve()
	return nil
}

// isFull says whether nothing is written at this moment.
func (r *room) isFull() bool { return r.why() != nil }

// why is why nothing is written, as the last look found it; nil: there was room.
func (r *room) why() *events.Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.full
}

// mend is called when NATS did not take what was written. If the disk was filled at once, the reserve
// gives way; then the store is opened anew.
func (r *room) mend() {
	if r.dir == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if why := r.look(limits.DiskFloor); why != nil {
		r.full = why
		if err := os.Remove(r.reserveFile()); errors.Is(err, fs.ErrNotExist) {
			return // nothing is left that could give way
		}
	}
	r.logger.Warn("NATS does not take what is written; opening its store again")
	if err := r.reopen(); err != nil {
		r.logger.Error("mending the store", "err", err)
	}
}

func (r *room) reserveFile() string { return filepath.Join(r.dir, "reserve") }

// reserve makes the reserve, unless it is there. Without one the state server works as well.
func (r *room) reserve() {
	err := func() error {
		f, err := os.OpenFile(r.reserveFile(), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		err = unix.Fallocate(int(f.Fd()), 0, 0, limits.DiskReserve)
		return errors.Join(err, f.Close())
	}()
	if err != nil {
		r.logger.Warn("making the reserve", "err", errors.Join(err, os.Remove(r.reserveFile())))
	}
}

// fits says whether size more bytes of an archive fit into the store, beside what must stay free for
// events (limits.UploadReserve); the error is bus.ErrNoSpace.
func (r *room) fits(size int64) error {
	if r.dir == "" {
		return nil
	}
	var st unix.Statfs_t
	if err := unix.Statfs(r.dir, &st); err != nil {
		return fmt.Errorf("look for room in the store: %w", err)
	}
	if free := int64(st.Bavail) * st.Bsize; free < size+limits.UploadReserve {
		return fmt.Errorf("%w: the archive needs %d more bytes, and %d must stay free for events; %s has %d",
			bus.ErrNoSpace, size, int64(limits.UploadReserve), r.dir, free)
	}
	return nil
}
