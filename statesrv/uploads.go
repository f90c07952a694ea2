package statesrv

import (
	"fmt"
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
)

// uploads takes archives from operators, piece by piece, into the object store. What is
// there is resumed; only a whole and inspected archive becomes visible.
type uploads struct {
	term *term

	mu   sync.Mutex
	open map[string]*upload // by digest
}

// Bounds on uploads. Together they bound the memory: maxUploads × the window of a client.
const (
	maxUploads = limits.Uploads    // archives that are received at a time
	uploadIdle = limits.UploadIdle // without a piece, an upload is put aside
)

func newUploads(t *term) *uploads {
	return &uploads{term: t, open: map[string]*upload{}}
}

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
	u := &upload{all: us, term: us.term, tools: t, pieces: make(chan bus.Piece, 2*bus.UploadWindow)}
	us.open[t.SHA256] = u
	us.term.spawn(u.run)
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
func (t *term) announced(request string, v version.Binary) (*events.ToolsSyncRequested, error) {
	var o projections.Outcome
	err := t.writer.look(t.ctx, func(s *projections.State) { o = s.Requests[request] })
	if err != nil {
		return nil, err
	}
	if o.Outcome != projections.OutcomeAccepted || o.Action != events.ActionSyncTools {
		return nil, fmt.Errorf("no accepted sync-tools request %q announced these tools", request)
	}
	for rec, err := range t.log.Read(t.ctx, o.Seq, o.Seq) {
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
func (t *term) sweep() {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		removed, err := t.tools.store.Sweep(t.ctx, t.cfg.Now().Add(-keepParts), maxParts)
		if err != nil && t.ctx.Err() == nil {
			t.cfg.Logger.Warn("removing what uploads left", "err", err)
		}
		for _, digest := range removed {
			t.cfg.Logger.Info("removed the beginning of an archive that nobody completed", "sha256", digest)
		}
		select {
		case <-t.ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
