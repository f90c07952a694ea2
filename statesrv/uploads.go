package statesrv

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// uploads receives archives from operators, piece by piece, into the object store. An upload that
// was cut off is resumed. Nobody sees an archive in the store before it is complete and inspected.
type uploads struct {
	ctx    context.Context           // of the term
	may    func(key string) error    // why an operator may not bring tools
	signed func() decide.ArchiveList // what release managers have signed
	writer *writer.Writer
	log    events.Log
	store  *bus.ToolStore
	room   *room
	spawn  func(func()) // runs an upload as part of the term
	now    func() time.Time
	logger *slog.Logger

	// mu guards open. It is held while a piece is handed to its upload: so no piece reaches an
	// upload after forget has removed it, and none is lost without an answer.
	mu   sync.Mutex
	open map[string]*upload // by the archive's digest
}

// Bounds on uploads. Together with the window of a client, which is how many unanswered pieces it
// sends, maxUploads bounds the memory of all uploads.
const (
	maxUploads = limits.Uploads    // archives that are received at a time
	uploadIdle = limits.UploadIdle // an upload ends when no piece has come for so long
)

// onPiece hands a piece to its upload, and begins the upload with the first piece, which is empty. It
// never waits: the bus calls it for the pieces of all archives, and a slow upload must not delay the
// others.
//
// A piece of somebody who may not bring tools is refused before anything: he stores no byte, takes no
// place, and adds nothing to the archive of another.
func (us *uploads) onPiece(p bus.Piece) {
	if err := us.may(p.From); err != nil {
		p.Answer(wire.PieceAnswer{Error: err.Error()})
		return
	}
	us.mu.Lock()
	defer us.mu.Unlock()
	u := us.open[p.Head.Tools.SHA256]
	switch {
	case u == nil && len(p.Data) > 0: // the upload has ended, and the sender did not know that yet
		p.Answer(wire.PieceAnswer{Again: true})
		return
	case u == nil && len(us.open) == maxUploads:
		p.Answer(wire.PieceAnswer{Error: fmt.Sprintf("%d other archives are being uploaded; try again later", maxUploads)})
		return
	case u == nil:
		u = us.begin(p.Head.Tools)
	}
	select {
	case u.pieces <- p:
	default:
		p.Answer(wire.PieceAnswer{Error: fmt.Sprintf("more than %d pieces came before the first was answered", cap(u.pieces))})
	}
}

// begin begins an upload. The caller holds mu.
func (us *uploads) begin(t tools.Tools) *upload {
	u := &upload{uploads: us, tools: t, pieces: make(chan bus.Piece, 2*bus.UploadWindow)}
	if us.open == nil {
		us.open = map[string]*upload{}
	}
	us.open[t.SHA256] = u
	us.spawn(u.run)
	return u
}

// forget removes an upload that has ended, and answers the pieces that still wait: their senders
// begin again.
func (us *uploads) forget(u *upload) {
	us.mu.Lock()
	delete(us.open, u.tools.SHA256)
	us.mu.Unlock()
	for len(u.pieces) > 0 {
		p := <-u.pieces
		p.Answer(wire.PieceAnswer{Again: true})
	}
}

// announced finds the accepted sync-tools request that names a version. An archive is received only
// after such a request: its signed words say where the archive comes from and who vouches for it.
func (us *uploads) announced(request string, v version.Binary) (*events.ToolsSyncRequested, error) {
	var o projections.Outcome
	err := us.writer.Look(us.ctx, func(s *projections.State) { o = s.Requests[request] })
	if err != nil {
		return nil, err
	}
	if o.Outcome != projections.OutcomeAccepted || o.Action != events.ActionSyncTools {
		return nil, fmt.Errorf("no accepted sync-tools request %q announced these tools", request)
	}
	for rec, err := range us.log.Read(us.ctx, o.Seq, o.Seq) {
		if err != nil {
			return nil, err
		}
		payload, err := events.Decode(rec)
		if err != nil {
			return nil, err
		}
		if asked, ok := payload.(*events.ToolsSyncRequested); ok && slices.Contains(asked.Wanted, v) {
			return asked, nil
		}
	}
	return nil, fmt.Errorf("the sync-tools request %s does not name %s", request, v)
}

// Bounds on what uploads that were cut off leave in the store. Only the newest maxParts of them are
// kept, and none to which no piece was added for keepParts.
const (
	sweepEvery = time.Hour
	keepParts  = limits.UploadKept
	maxParts   = limits.UploadParts
)

// sweep removes the remains of uploads that are beyond those bounds: at the term's start, and every
// sweepEvery until the term ends.
func (us *uploads) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		removed, err := us.store.Sweep(us.ctx, us.now().Add(-keepParts), maxParts)
		if err != nil && us.ctx.Err() == nil {
			us.logger.Warn("removing the remains of uploads", "err", err)
		}
		for _, digest := range removed {
			us.logger.Info("removed an incomplete archive", "sha256", digest)
		}
		select {
		case <-us.ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
