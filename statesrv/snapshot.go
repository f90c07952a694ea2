package statesrv

import (
	"log/slog"
	"path/filepath"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// snapshotEvery is how many records may lie between two snapshots.
const snapshotEvery = 10_000

func (s *Server) snapshotFile() string { return filepath.Join(s.cfg.Dir, "snapshot.json") }

// snapshots writes the state into a file now and then, so that the next term reads less of the log. Only
// the writer's goroutine uses it.
type snapshots struct {
	file   string
	at     uint64 // log position of the newest snapshot
	writer *writer.Writer
	logger *slog.Logger
}

// note writes a snapshot if one is due. The writer calls it after each commit. A snapshot that cannot be
// written is no harm: the next term reads more of the log.
func (s *snapshots) note(st *projections.State) {
	if st.Seq < s.at+snapshotEvery {
		return
	}
	s.at = st.Seq
	if err := s.write(st); err != nil {
		s.logger.Warn("writing the snapshot", "err", err)
		return
	}
	taken := &events.SnapshotTaken{Seq: st.Seq, Digest: st.Digest(), Schema: projections.Schema}
	s.writer.Submit(writer.Change{Decide: func(decide.At) (decide.Decision, error) { return decide.SnapshotTaken(taken), nil }})
}

func (s *snapshots) write(st *projections.State) error {
	return host.WriteFile(s.file, projections.EncodeSnapshot(st))
}
