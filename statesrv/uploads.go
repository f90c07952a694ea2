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
	"github.com/jujube-project/jujube/statesrv/writer"
)

// uploads takes archives from operators, piece by piece, into the object store. What is
// there is resumed; only a whole and inspected archive becomes visible.
type uploads struct {
	ctx      context.Context // of the term
	writer   *writer.Writer
	log      events.Log
	store    *bus.ToolStore
	storeDir string       // where an embedded NATS keeps its files; empty: NATS is elsewhere
	spawn    func(func()) // runs an upload as part of the term
	now      func() time.Time
	logger   *slog.Logger

	// mu guards open. Pieces are handed on while it is held, so none is handed to an upload
	// that was taken out meanwhile.
	mu   sync.Mutex
	open map[string]*upload // by digest
}

// Bounds on uploads. Together they bound the memory: maxUploads × the window of a client.
const (
	maxUploads = limits.Uploads    // archives that are received at a time
	uploadIdle = limits.UploadIdle // without a piece, an upload is put aside
)

// onPiece hands a piece to the upload it belongs to. It never waits, so that one archive
// does not hold up the others.
func (us *uploads) onPiece(p bus.Piece) {
	us.mu.Lock()
	defer us.mu.Unlock()
	u := us.open[p.Head.Tools.SHA256]
	switch {
	case u == nil && len(p.Data) > 0: // it was sent before its sender knew of the end
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

// begin opens an upload.
func (us *uploads) begin(t tools.Tools) *upload {
	u := &upload{all: us, tools: t, pieces: make(chan bus.Piece, 2*bus.UploadWindow)}
	if us.open == nil {
		us.open = map[string]*upload{}
	}
	us.open[t.SHA256] = u
	us.spawn(u.run)
	return u
}

// forget takes an upload out, so that no further piece reaches it.
func (us *uploads) forget(u *upload) {
	us.mu.Lock()
	delete(us.open, u.tools.SHA256)
	us.mu.Unlock()
	for len(u.pieces) > 0 {
		p := <-u.pieces
		p.Answer(wire.PieceAnswer{Again: true})
	}
}

// announced finds the accepted sync-tools request that named a version: whoever uploads
// says where it comes from, and who vouches for that, before and with a signature.
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

// sweepEvery and keepParts bound what cut-off uploads leave in the store: the newest
// maxParts of them, and none that nobody went on with for keepParts.
const (
	sweepEvery = time.Hour
	keepParts  = limits.UploadKept
	maxParts   = limits.UploadParts
)

// sweep removes what uploads have left and nobody came back for.
func (us *uploads) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		removed, err := us.store.Sweep(us.ctx, us.now().Add(-keepParts), maxParts)
		if err != nil && us.ctx.Err() == nil {
			us.logger.Warn("removing what uploads left", "err", err)
		}
		for _, digest := range removed {
			us.logger.Info("removed the beginning of an archive that nobody completed", "sha256", digest)
		}
		select {
		case <-us.ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
