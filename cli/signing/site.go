package signing

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

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

// Publishers are those whose trees of tools this client takes in for the environment: the release
// managers have signed who they are. Before they have, this client believes what it has signed itself.
func (p *Site) Publishers() (events.Publishers, error) {
	if signed := p.Trusted.Publishers(); signed != nil {
		return *signed, nil
	}
	return OwnPublishers(p.app.Store())
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
// error says which are missing. What f changes was typed. With a draft there is more, and it asks.
func (p *Site) Change(ctx context.Context, f func(*tuf.Repository) error) error {
	repo, err := p.Draft()
	if err != nil {
		return err
	}
	typed := !p.Follows(repo)
	if err := f(repo); err != nil {
		return app.Fail(err, "Nothing was changed.", "")
	}
	return p.Finish(ctx, repo, typed)
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
// neither of them older. Its roots must go on from those that are published.
func (p *Site) Follows(repo *tuf.Repository) bool {
	root, err := repo.Standing(tuf.Root)
	targets, err2 := repo.Standing(tuf.Targets)
	have, roots := p.Trusted.Versions(), repo.Bundle().Roots
	return err == nil && err2 == nil && root.Version >= have.Root && targets.Version >= have.Targets &&
		(root.Version > have.Root || targets.Version > have.Targets) &&
		len(roots) >= len(p.Published.Roots) && slices.EqualFunc(roots[:len(p.Published.Roots)], p.Published.Roots, bytes.Equal)
}

// Finish shows what is to be signed, signs it with this client's keys, and publishes it if no signature
// is missing after that. What was not typed, such as the draft of a colleague, is asked about first. The
// draft is removed only once it was published: after a crash it is signed and published again.
func (p *Site) Finish(ctx context.Context, repo *tuf.Repository, typed bool) error {
	if err := p.show(repo, typed); err != nil {
		return err
	}
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

// YesFlag defines --yes of commands that sign.
func YesFlag(f *pflag.FlagSet, a *app.App) {
	f.BoolVarP(&a.Yes, "yes", "y", false, "do not ask before something is signed that you did not type")
}

// show says what a repository changes in what is published. Unless all of it was typed, or --yes was, a
// person must agree to it.
func (p *Site) show(repo *tuf.Repository, typed bool) error {
	published, err := tuf.OpenRepository(p.Published)
	if err != nil {
		return err
	}
	lines, err := inWords(published, repo)
	if err != nil {
		return app.Fail(fmt.Errorf("what is to be signed cannot be shown: %w", err), "Nothing was signed.", "")
	}
	text := "This is signed, beside what is published:\n  " + strings.Join(lines, "\n  ")
	if len(lines) == 0 {
		text = "Nothing of what is published is changed; it is signed anew."
	}
	if typed || p.app.Yes {
		p.app.Show("%s", text)
		return nil
	}
	if !p.app.Confirm(text) {
		return app.Fail(errors.New("not confirmed, so not signed"), "Nothing was changed.", "look at it, and answer y; --yes skips the question")
	}
	return nil
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
