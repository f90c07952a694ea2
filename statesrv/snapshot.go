package statesrv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
)

// snapshotEvery is how many records may lie between two snapshots.
const snapshotEvery = 10_000

func (s *Server) snapshotFile() string { return filepath.Join(s.cfg.Dir, "snapshot.json") }

// load reads the state: the snapshot, if it can be used, and the log behind it; and the
// tree over the log. A log that ends before the snapshot or before what was signed, that
// lacks or has other records, or that is another environment's, is refused: writing on
// would use sequences again that somebody has seen.
func (s *Server) load(ctx context.Context) (_ *projections.State, _ *keeper, err error) {
	k, err := s.openKeeper()
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, k.hashes.close())
		}
	}()
	last, err := s.log.Last(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := short(last, k.last); err != nil {
		return nil, nil, s.unusable(err)
	}
	st, err := s.readSnapshot(ctx, last)
	if err != nil {
		return nil, nil, err
	}
	if err := s.readLog(ctx, st, k, last); err != nil {
		return nil, nil, s.unusable(err)
	}
	if err := s.isOurs(st); err != nil {
		return nil, nil, err
	}
	kept, err := s.kept(ctx)
	if err == nil {
		err = short(last, kept)
	}
	if err == nil {
		err = errors.Join(k.judge(k.last), k.judge(kept))
	}
	return st, k, s.unusable(err)
}

// short says that a log which ends at last is shorter than what was signed.
func short(last uint64, signed tree.Checkpoint) error {
	if signed.Size <= last {
		return nil
	}
	return events.Refuse(codeGap, "the log holds %d records, but %d were signed for: it was cut, restored from an older backup, or records were deleted", last, signed.Size)
}

// unusable says what helps where the log itself is in doubt.
func (s *Server) unusable(err error) error {
	if code := events.CodeOf(err); code != codeGap && code != codeTamper {
		return err
	}
	return fmt.Errorf("%w: %w; nothing was changed; restore a backup that holds everything that was signed, or remove %s to accept the loss: whoever saw the old log will say log-fork", errUnusable, err, s.treeDir())
}

// readLog folds the log behind the snapshot, and holds each record that it reads against
// the tree.
func (s *Server) readLog(ctx context.Context, st *projections.State, k *keeper, last uint64) error {
	for stored, err := range s.log.Stored(ctx, max(min(st.Seq, k.edge.Size()), 1), last) {
		if errors.Is(err, events.ErrGap) {
			return events.Refuse(codeGap, "%v", err)
		}
		if err != nil {
			return err
		}
		if err := k.take(stored); err != nil {
			return err
		}
		rec, err := stored.Record()
		if err != nil && stored.Seq > st.Seq {
			s.cfg.Logger.Warn("skipped a record", "seq", rec.Seq, "err", err)
			s.metrics.garbage("log")
		}
		st.Fold(rec)
	}
	return nil
}

func (s *Server) isOurs(st *projections.State) error {
	if st.Seq > 0 && st.UUID != s.cfg.Environment {
		return fmt.Errorf("%w: it is the log of environment %q, this state server is of %s; nothing was changed; give it the NATS store of its own environment", errUnusable, st.UUID, s.cfg.Environment)
	}
	return nil
}

// readSnapshot gives the state of the snapshot, or of an empty log when there is none
// that fits this environment and this log, which ends at last.
func (s *Server) readSnapshot(ctx context.Context, last uint64) (*projections.State, error) {
	b, err := os.ReadFile(s.snapshotFile())
	if errors.Is(err, fs.ErrNotExist) {
		return projections.New(), nil
	}
	var st *projections.State
	if err == nil {
		st, err = projections.DecodeSnapshot(b)
	}
	if err == nil && st.UUID != s.cfg.Environment {
		err = fmt.Errorf("it is of environment %q", st.UUID)
	}
	if err == nil && st.Seq > last {
		return nil, fmt.Errorf("%w: it ends at %d, but this state server has seen %d: it was cut, or restored from an older backup; nothing was changed; restore a newer backup, or remove %s to accept the loss", errUnusable, last, st.Seq, s.snapshotFile())
	}
	if err == nil {
		err = s.continues(ctx, st)
	}
	if err != nil {
		s.cfg.Logger.Warn("left the snapshot aside; the whole log is read", "err", err)
		return projections.New(), nil
	}
	return st, nil
}

// continues checks that the log holds at the snapshot's position what was folded there.
func (s *Server) continues(ctx context.Context, st *projections.State) error {
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

// afterCommit runs on the writer's goroutine after each commit.
func (t *term) afterCommit(st *projections.State) {
	t.metrics.state(st)
	t.tools.configure(st)
	if life := lives(st).Timestamp; life != t.life {
		t.life = life
		t.pokeRefresh()
	}
	t.revoked.note(st)
	t.keeper.passed(t.cfg.Now())
	if st.Seq < t.snapshotAt+snapshotEvery {
		return
	}
	t.snapshotAt = st.Seq
	if err := t.writeSnapshot(st); err != nil {
		t.cfg.Logger.Warn("writing the snapshot", "err", err)
		return
	}
	taken := &events.SnapshotTaken{Seq: st.Seq, Digest: st.Digest(), Schema: projections.Schema}
	t.writer.submit(change{decide: func(d *draft) error {
		_, err := d.add("", "", "", taken)
		return err
	}})
}

func (s *Server) writeSnapshot(st *projections.State) error {
	return host.WriteFile(s.snapshotFile(), projections.EncodeSnapshot(st))
}
