package statesrv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// snapshotEvery is how many records may lie between two snapshots.
const snapshotEvery = 10_000

func (s *Server) snapshotFile() string { return filepath.Join(s.cfg.Dir, "snapshot.json") }

// load reads the state: the snapshot, if it can be used, and the log behind it. A log
// that ends before the snapshot, or that is another environment's, is refused: writing
// on would use sequences again that somebody has seen.
func (s *Server) load(ctx context.Context) (*projections.State, error) {
	last, err := s.log.Last(ctx)
	if err != nil {
		return nil, err
	}
	st := s.readSnapshot()
	if st.Seq > last {
		return nil, fmt.Errorf("use the log: it ends at %d, but this state server has seen %d; it was cut or restored from an older backup. Nothing was changed. Restore a newer backup, or remove %s to accept the loss", last, st.Seq, s.snapshotFile())
	}
	for rec, err := range s.log.Read(ctx, st.Seq+1, last) {
		if errors.Is(err, events.ErrInvalid) {
			s.cfg.Logger.Warn("skipped a record", "seq", rec.Seq, "err", err)
			s.metrics.garbage("log")
		} else if err != nil {
			return nil, err
		}
		st.Fold(rec)
	}
	if st.Seq > 0 && st.UUID != s.cfg.Environment {
		return nil, fmt.Errorf("use the log: it is environment %s's, this state server is of %s; nothing was changed", st.UUID, s.cfg.Environment)
	}
	return st, nil
}

func (s *Server) readSnapshot() *projections.State {
	b, err := os.ReadFile(s.snapshotFile())
	if err == nil {
		var st *projections.State
		if st, err = projections.DecodeSnapshot(b); err == nil && st.UUID == s.cfg.Environment {
			return st
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		s.cfg.Logger.Warn("left the snapshot aside; the whole log is read", "err", err)
	}
	return projections.New()
}

// afterCommit runs on the writer's goroutine after each commit.
func (s *Server) afterCommit(st *projections.State) {
	s.metrics.state(st)
	s.tools.configure(st, s.cfg.ToolsSource)
	if st.Seq < s.snapshotAt+snapshotEvery {
		return
	}
	s.snapshotAt = st.Seq
	if err := s.writeSnapshot(st); err != nil {
		s.cfg.Logger.Warn("writing the snapshot", "err", err)
		return
	}
	taken := &events.SnapshotTaken{Seq: st.Seq, Digest: st.Digest(), Schema: projections.Schema}
	s.writer.submit(change{decide: func(d *draft) error {
		_, err := d.add("", "", "", taken)
		return err
	}})
}

func (s *Server) writeSnapshot(st *projections.State) error {
	return writeFile(s.snapshotFile(), projections.EncodeSnapshot(st))
}
