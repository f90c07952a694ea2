package session

import (
	"context"
	"os"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/wire"
)

// Announce asks to store archives. The id of the accepted request is sent with every piece of
// them: it shows that they may be stored.
func (s *Session) Announce(ctx context.Context, ask events.AskSyncTools) (id string, err error) {
	recs, err := s.Request(ctx, events.Ask{Action: events.ActionSyncTools, SyncTools: &ask})
	if err != nil {
		return "", err
	}
	return recs[0].Correlation, nil
}

// Upload sends an archive that the request has announced. If told is not nil, it is called with the
// number of bytes that the state server has on disk.
func (s *Session) Upload(ctx context.Context, request string, t tools.Tools, path string, told func(int64)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return s.conn.Upload(ctx, wire.PieceHead{Tools: t, Request: request}, f, told)
}
