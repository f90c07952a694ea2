package statesrv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/logtree"
)

// load reads the state: the snapshot, if it can be used, and the log behind it; and the
// tree over the log. A log that ends before the snapshot or before what was signed, that
// lacks or has other records, or that is another environment's, is refused: writing on
// would use sequences again that somebody has seen.
func (s *Server) load(ctx context.Context) (_ *projections.State, _ *logtree.Tree, err error) {
	t, err := s.openTree()
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	last, err := s.log.Last(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := checkLength(last, t.Newest()); err != nil {
		return nil, nil, s.explainUnusable(err)
	}
	st, err := s.readSnapshot(ctx, last)
	if err != nil {
		return nil, nil, err
	}
	if err := s.readLog(ctx, st, t, last); err != nil {
		return nil, nil, s.explainUnusable(err)
	}
	if err := s.checkEnvironment(st); err != nil {
		return nil, nil, err
	}
	published, err := s.publishedCheckpoint(ctx)
	if err == nil {
		err = checkLength(last, published)
	}
	if err == nil {
		err = errors.Join(t.Check(t.Newest()), t.Check(published))
	}
	return st, t, s.explainUnusable(err)
}

// checkLength refuses a log that ends at last if a checkpoint was signed for more records.
func checkLength(last uint64, signed tree.Checkpoint) error {
	if signed.Size <= last {
		return nil
	}
	return events.Refuse(events.CodeLogGap, "the log holds %d records, but %d were signed for: it was cut, restored from an older backup, or records were deleted",
		last, signed.Size)
}

// explainUnusable adds to an error that puts the log in doubt what an operator can do. Other errors stay
// as they are.
func (s *Server) explainUnusable(err error) error {
	if code := events.CodeOf(err); code != events.CodeLogGap && code != events.CodeLogTamper {
		return err
	}
	return fmt.Errorf("%w: %w; nothing was changed; restore a backup that holds everything that was signed, or remove %s to accept the loss: whoever saw "+
		"the old log will say log-fork",
		errUnusable, err, s.treeDir())
}

// readLog folds the log behind the snapshot, and holds each record that it reads against
// the tree.
func (s *Server) readLog(ctx context.Context, st *projections.State, t *logtree.Tree, last uint64) error {
	for stored, err := range s.log.Stored(ctx, max(min(st.Seq, t.Size()), 1), last) {
		if errors.Is(err, events.ErrGap) {
			return events.Refuse(events.CodeLogGap, "%v", err)
		}
		if err != nil {
			return err
		}
		if err := t.Add(stored); err != nil {
			return err
		}
		rec, err := stored.Record()
		if err != nil && stored.Seq > st.Seq {
			s.cfg.Logger.Warn("skipped a record", "seq", rec.Seq, "err", err)
			s.metrics.garbage("log")
		}
		if why := st.Fold(rec); why != nil {
			s.cfg.Logger.Error("a record of the log has no cause, and changes nothing; juju audit verify tells more", "kind", rec.Kind, "seq", rec.Seq, "err", why)
		}
	}
	return nil
}

// checkEnvironment refuses the log of another environment. An empty log belongs to nobody yet.
func (s *Server) checkEnvironment(st *projections.State) error {
	if st.Seq > 0 && st.UUID != s.cfg.Environment {
		return fmt.Errorf("%w: it is the log of environment %q, this state server is of %s; nothing was changed; give it the NATS store of its own environment",
			errUnusable, st.UUID, s.cfg.Environment)
	}
	return nil
}

// readSnapshot gives the state of the snapshot. If there is no snapshot, or it belongs to another
// environment or another log, it gives the state of an empty log, and the whole log is read. The log
// ends at last. A snapshot that is newer than that is an error: the log has lost records.
func (s *Server) readSnapshot(ctx context.Context, last uint64) (*projections.State, error) {
	b, err := host.ReadPinned(s.snapshotFile())
	if errors.Is(err, fs.ErrNotExist) {
		return s.emptyState(), nil
	}
	var st *projections.State
	if err == nil {
		st, err = projections.DecodeSnapshot(b)
	}
	if err == nil && st.UUID != s.cfg.Environment {
		err = fmt.Errorf("it is of environment %q", st.UUID)
	}
	if err == nil && st.Root != "" && st.Root != s.cfg.Site.Anchor.SHA256 {
		err = fmt.Errorf("its root is %.12s…", st.Root)
	}
	if err == nil && st.Seq > last {
		return nil, fmt.Errorf("%w: it ends at %d, but this state server has seen %d: it was cut, or restored from an older backup; nothing was changed; "+
			"restore a newer backup, or remove %s to accept the loss",
			errUnusable, last, st.Seq, s.snapshotFile())
	}
	if err == nil {
		err = s.checkSnapshot(ctx, st)
	}
	if err != nil {
		s.cfg.Logger.Warn("left the snapshot aside; the whole log is read", "err", err)
		return s.emptyState(), nil
	}
	st.Pin(s.cfg.Site.Anchor.SHA256)
	return st, nil
}

// emptyState is that of an empty log. It believes the root of this state server's site alone.
func (s *Server) emptyState() *projections.State {
	st := projections.New()
	st.Pin(s.cfg.Site.Anchor.SHA256)
	return st
}

// checkSnapshot checks that the snapshot was taken from this log: the record at its position must have
// the time that the snapshot has.
func (s *Server) checkSnapshot(ctx context.Context, st *projections.State) error {
	for rec, err := range s.log.Read(ctx, st.Seq, st.Seq) {
		if err != nil && !errors.Is(err, events.ErrInvalid) {
			return err
		}
		if err == nil && !rec.Time.Equal(st.Time) {
			return fmt.Errorf("it was taken from another log: sequence %d is from %v, not from %v", st.Seq, rec.Time, st.Time)
		}
	}
	return nil
}

func (s *Server) treeDir() string { return filepath.Join(s.cfg.Dir, "tree") }

// openTree opens the tree of a former term, up to what was signed.
func (s *Server) openTree() (*logtree.Tree, error) {
	t, err := logtree.Open(s.treeDir(), s.cfg.Environment, s.cfg.LogKey, s.cfg.Logger)
	var unreadable *logtree.CheckpointError
	if errors.As(err, &unreadable) {
		err = fmt.Errorf("%w: %w; nothing was changed; put back a copy of it, or remove it to believe the log as it is", errUnusable, err)
	}
	return t, err
}

// publishedCheckpoint is the checkpoint that NATS keeps; the zero value: NATS keeps none.
func (s *Server) publishedCheckpoint(ctx context.Context) (tree.Checkpoint, error) {
	note, err := s.cfg.Bus.Checkpoint(ctx)
	if errors.Is(err, bus.ErrNotFound) {
		return tree.Checkpoint{}, nil
	}
	if err != nil {
		return tree.Checkpoint{}, err
	}
	c, err := s.logs.Open(note)
	if err != nil {
		return c, fmt.Errorf("%w: the checkpoint that NATS keeps: %w; nothing was changed; see who else writes into this environment", errUnusable, err)
	}
	return c, nil
}

// publishCheckpoints puts each new checkpoint into NATS, until ctx ends. There another state server and
// every operator find the newest one.
func (s *Server) publishCheckpoints(ctx context.Context, signed <-chan tree.Checkpoint) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-signed:
			if err := s.cfg.Bus.SetCheckpoint(ctx, c.Note); err != nil && ctx.Err() == nil {
				s.cfg.Logger.Warn("publishing a checkpoint of the log", "err", err)
			}
		}
	}
}
