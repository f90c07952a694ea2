package cli

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/wire"
)

// site is an environment's signed metadata: what is published, and what this client knows
// of it from before.
type site struct {
	session *session
	repository
	published tuf.Bundle
	trusted   tuf.Trusted
}

// site asks what is published and accepts it only if it follows on what this client has
// accepted before. What has expired is read: somebody must be able to sign it anew.
func (s *session) site(ctx context.Context) (*site, error) {
	p := &site{session: s, repository: s.app.siteRepository(s.Env.Name)}
	b, err := wire.Trust.Ask(ctx, s, wire.Nothing{})
	if err == nil {
		p.published, err = tuf.ParseBundle(b)
	}
	if err == nil {
		p.trusted, err = p.accept(p.published, time.Time{})
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, app.Fail(errors.New("this client has not pinned the environment's root, so it believes no metadata of it"), "Nothing was changed.",
			"juju trust init --anchor SHA256; who bootstrapped it sees the digest in juju trust status")
	}
	if err != nil {
		return nil, app.Fail(fmt.Errorf("the environment's signed metadata is refused: %w", err), "Nothing was changed.", "")
	}
	return p, nil
}

// change makes the next publication, signs it with the keys at hand and publishes it; when
// others must sign, too, it is kept as a draft and it is said who.
func (p *site) change(ctx context.Context, f func(*tuf.Repository) error) error {
	repo, err := p.draft()
	if err != nil {
		return err
	}
	if err := f(repo); err != nil {
		return app.Fail(err, "Nothing was changed.", "")
	}
	return p.finish(ctx, repo)
}

// draft goes on with what is half signed, if that still follows on what is published.
func (p *site) draft() (*tuf.Repository, error) {
	b, err := readBundle(p.draftFile())
	if err != nil {
		return nil, app.Fail(err, "Nothing was changed.", "mend or remove the file")
	}
	if len(b.Roots) > 0 {
		repo, err := tuf.OpenRepository(b)
		if err == nil && p.follows(repo) {
			return repo, nil
		}
		p.session.app.Say("WARNING the draft in %s does not follow on what is published by now; it is left out", p.draftFile())
	}
	return tuf.OpenRepository(p.published)
}

// follows: there is something to sign or to publish in it.
func (p *site) follows(repo *tuf.Repository) bool {
	root, err := repo.Standing(tuf.Root)
	targets, err2 := repo.Standing(tuf.Targets)
	have := p.trusted.Versions()
	return err == nil && err2 == nil && root.Version >= have.Root && targets.Version >= have.Targets &&
		(root.Version > have.Root || targets.Version > have.Targets)
}

// finish signs what the keys at hand may sign, and publishes when nobody is missing.
func (p *site) finish(ctx context.Context, repo *tuf.Repository) error {
	missing, err := p.sign(repo)
	if err != nil {
		return app.Fail(err, "Nothing was changed.", "")
	}
	if len(missing) == 0 {
		if err := p.publish(ctx, repo.Bundle()); err != nil {
			return err
		}
		return removeFile(p.draftFile())
	}
	if err := p.write(p.draftFile(), repo.Bundle().Marshal()); err != nil {
		return err
	}
	return app.Fail(fmt.Errorf("others must sign, too: %s", strings.Join(missing, "; ")), "Nothing is published yet; the draft is kept.",
		"juju trust export FILE, and have a colleague run juju trust sign FILE")
}

// sign adds the signatures of this client's keys and says what is missing then.
func (p *site) sign(repo *tuf.Repository) (missing []string, err error) {
	keys, err := p.keys().all()
	if err != nil {
		return nil, err
	}
	signers := make([]crypto.Signer, len(keys))
	for i, k := range keys {
		signers[i] = k.Private
	}
	for _, role := range []string{tuf.Root, tuf.Targets} {
		_, cannot := repo.Sign(role, signers...)
		st, err := repo.Standing(role)
		if err != nil {
			return nil, err
		}
		if st.Complete() {
			continue
		}
		text := fmt.Sprintf("%s version %d has %d of %d signatures", role, st.Version, st.Have, st.Need)
		if st.OldHave < st.OldNeed {
			text += fmt.Sprintf(", and %d of %d by the keys before", st.OldHave, st.OldNeed)
		}
		if cannot != nil {
			text += " (" + cannot.Error() + ")"
		}
		missing = append(missing, text)
	}
	return missing, nil
}

// publish hands the bundle over and asks for its publication.
func (p *site) publish(ctx context.Context, b tuf.Bundle) error {
	s := p.session
	o, err := s.stage(ctx, b.Marshal())
	if err != nil {
		return app.Fail(fmt.Errorf("hand over the metadata: %w", err), "Nothing was published.", "")
	}
	recs, err := s.Request(ctx, events.Ask{Action: events.ActionTrust, Trust: &events.AskTrust{Bundle: o}})
	if err != nil {
		return err
	}
	for _, rec := range recs {
		payload, err := events.Decode(rec)
		if f, ok := payload.(*events.TrustPublished); err == nil && ok {
			s.app.Say("Published: root %d, targets %d, timestamp %d", f.Version.Root, f.Version.Targets, f.Version.Timestamp)
		}
	}
	return nil
}

// stage sends a bundle in pieces.
func (s *session) stage(ctx context.Context, b []byte) (events.Object, error) {
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

// signTools makes archives targets of the site, those that are not yet.
func (p *site) signTools(ctx context.Context, list []tools.Tools) error {
	var fresh []tools.Tools
	for _, t := range list {
		if p.trusted.Tools(t) != nil {
			fresh = append(fresh, t)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return p.change(ctx, func(repo *tuf.Repository) error {
		targets := repo.Targets()
		for _, t := range fresh {
			if old, ok := targets[t.FileName()]; ok && old.SHA256 != t.SHA256 {
				return fmt.Errorf("%s is signed already, with sha256 %s instead of %s; a version is never replaced", t.Version, old.SHA256, t.SHA256)
			}
			p.session.app.Say("signing %s", t.Version)
		}
		return repo.SetTools(time.Now().Add(tuf.TargetsLife), fresh...)
	})
}

func removeFile(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
