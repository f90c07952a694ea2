package signing

import (
	"context"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/wire"
)

// TargetsExpire is when targets expire that are signed now.
func TargetsExpire() time.Time { return time.Now().Add(tuf.TargetsLife) }

// RootExpires is when a root expires that is signed now.
func RootExpires() time.Time { return time.Now().Add(tuf.RootLife) }

// publish hands the bundle to the state server and asks, in a signed request, that it be published.
func (p *Site) publish(ctx context.Context, b tuf.Bundle) error {
	o, err := stage(ctx, p.session, b.Marshal())
	if err != nil {
		return app.Fail(fmt.Errorf("hand over the metadata: %w", err), "Nothing was published.", "")
	}
	recs, err := p.session.Request(ctx, events.Ask{Action: events.ActionTrust, Trust: &events.AskTrust{Bundle: o}})
	if err != nil {
		return err
	}
	for _, rec := range recs {
		payload, err := events.Decode(rec)
		if f, ok := payload.(*events.TrustPublished); err == nil && ok {
			p.app.Say("Published: root %d, targets %d, timestamp %d", f.Version.Root, f.Version.Targets, f.Version.Timestamp)
		}
	}
	return nil
}

// stage sends a bundle to the state server in pieces. After each piece the state server says which
// offset it needs next. It keeps the pieces in memory: after its restart that is the first again.
func stage(ctx context.Context, s *session.Session, b []byte) (events.Object, error) {
	o := bus.ObjectOf(b)
	sig, err := s.Identity.Sign(wire.StageStatement(s.Env.UUID, o.SHA256))
	if err != nil {
		return o, err
	}
	for at := int64(0); at < o.Size; {
		piece := wire.StagePiece{Bundle: o, Offset: at, Data: b[at:min(at+wire.StageBytes, o.Size)], Key: s.Identity.Public(), Signature: sig}
		staged, err := wire.TrustStage.Ask(ctx, s, piece)
		if err != nil {
			return o, err
		}
		at = staged.Next
	}
	return o, nil
}

// SignTools signs archives as targets of the site and publishes that. Archives that are targets
// already are left out. A version that is signed with other bytes is an error: what machines may
// run under a version never changes.
func (p *Site) SignTools(ctx context.Context, list []tools.Tools) error {
	var fresh []tools.Tools
	for _, t := range list {
		if p.Trusted.Tools(t) != nil {
			fresh = append(fresh, t)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return p.Change(ctx, func(repo *tuf.Repository) error {
		targets := repo.Targets()
		for _, t := range fresh {
			if old, ok := targets[t.FileName()]; ok && old.SHA256 != t.SHA256 {
				return fmt.Errorf("%s is signed already, with sha256 %s instead of %s; a version is never replaced", t.Version, old.SHA256, t.SHA256)
			}
		}
		return repo.SetTools(TargetsExpire(), fresh...)
	})
}
