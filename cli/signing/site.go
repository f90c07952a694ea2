package signing

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/wire"
)

// Site is an environment's signed metadata: what is published now, and the directory in which this
// client keeps its keys and what it has accepted before.
type Site struct {
	Repository
	Published tuf.Bundle
	Trusted   tuf.Trusted // what Published says; it was accepted

	app     *app.App
	session *session.Session
}

// OpenSite asks for what is published, and accepts it only if it follows on what this client has
// accepted before. Metadata that has expired is accepted, too: somebody must be able to sign it
// anew.
func OpenSite(ctx context.Context, a *app.App, s *session.Session) (*Site, error) {
	p := &Site{Repository: SiteRepository(a.Store(), s.Env.Name), app: a, session: s}
	b, err := wire.Trust.Ask(ctx, s, wire.Nothing{})
	if err == nil {
		p.Published, err = tuf.ParseBundle(b)
	}
	if err == nil {
		p.Trusted, err = p.accepted().Accept(p.Published, time.Time{})
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

// WithSite connects, opens the site of the chosen environment, calls f and closes the
// connection.
func WithSite(ctx context.Context, a *app.App, f func(*session.Session, *Site) error) error {
	return session.With(ctx, a, func(s *session.Session) error {
		p, err := OpenSite(ctx, a, s)
		if err != nil {
			return err
		}
		return f(s, p)
	})
}

// Me is the operator whose key this client has, as the metadata that it accepted names him.
func (p *Site) Me() (me events.Operator, known bool) {
	return p.Trusted.Roster().Operator(p.session.Identity.Public())
}

// Change lets f change the draft, or else what is published, signs the result with this client's
// keys and publishes it. If more signatures are needed, the result is kept as a draft, and the
// error says which are missing.
func (p *Site) Change(ctx context.Context, f func(*tuf.Repository) error) error {
	repo, err := p.Draft()
	if err != nil {
		return err
	}
	if err := f(repo); err != nil {
		return app.Fail(err, "Nothing was changed.", "")
	}
	return p.Finish(ctx, repo)
}

// Draft gives the draft, if there is one that still follows on what is published. Otherwise it gives
// what is published.
func (p *Site) Draft() (*tuf.Repository, error) {
	b, err := ReadBundle(p.DraftFile())
	if err != nil {
		return nil, app.Fail(err, "Nothing was changed.", "mend or remove the file")
	}
	if len(b.Roots) > 0 {
		repo, err := tuf.OpenRepository(b)
		if err == nil && p.Follows(repo) {
			return repo, nil
		}
		p.app.Say("WARNING the draft in %s does not follow on what is published by now; it is left out", p.DraftFile())
	}
	return tuf.OpenRepository(p.Published)
}

// Follows says whether a repository has a newer root or newer targets than what is published, and
// neither of them older.
func (p *Site) Follows(repo *tuf.Repository) bool {
	root, err := repo.Standing(tuf.Root)
	targets, err2 := repo.Standing(tuf.Targets)
	have := p.Trusted.Versions()
	return err == nil && err2 == nil && root.Version >= have.Root && targets.Version >= have.Targets &&
		(root.Version > have.Root || targets.Version > have.Targets)
}

// Finish signs with this client's keys and publishes if no signature is missing after that. The
// draft is removed only once it was published: after a crash it is signed and published again.
func (p *Site) Finish(ctx context.Context, repo *tuf.Repository) error {
	missing, err := p.sign(repo)
	if err != nil {
		return app.Fail(err, "Nothing was changed.", "")
	}
	if len(missing) == 0 {
		if err := p.publish(ctx, repo.Bundle()); err != nil {
			return err
		}
		return removeFile(p.DraftFile())
	}
	if err := p.write(p.DraftFile(), repo.Bundle().Marshal()); err != nil {
		return err
	}
	return app.Fail(fmt.Errorf("others must sign, too: %s", strings.Join(missing, "; ")), "Nothing is published yet; the draft is kept.",
		"juju trust export FILE, and have a colleague run juju trust sign FILE")
}

// sign adds the signatures of this client's keys, and says which are still missing.
func (p *Site) sign(repo *tuf.Repository) (missing []string, err error) {
	keys, err := p.Keys().All()
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

func removeFile(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
