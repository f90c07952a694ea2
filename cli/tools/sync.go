package tools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/streams"
)

// syncTools is `juju sync-tools`.
type syncTools struct {
	app      *app.App
	source   string
	version  string
	stream   string
	localDir string
	format   string
	all      bool
	dryRun   bool
	verify   bool
	arches   []string
	series   []string
	trusted  []string // sources that may be unsigned
	signers  []string // believed beside the signed publishers
}

func (y *syncTools) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "sync-tools", Short: "Copy server software into the environment's store", Args: cobra.NoArgs,
		Long: `Copy tools, that is, archives of jujud, from a source into the store of the state server.
This is for environments whose state server has no internet: the client, which presumably
has, downloads the software and hands it over before an upgrade is requested.

Which versions: without --version, the one that a following upgrade-juju would choose from
that source and the store, for the series and architectures of the environment's machines,
and with it what must be passed through on the way there. --version 1.23 copies all patch
versions of 1.23, --version 1 every version of major 1 (use '1.23' not '1.23.1'); --all
copies every version of the client's major. --series and --arch leave out all others.
Versions that are revoked are not copied.

Where from: --source is a directory, as juju metadata generate-tools makes it, or a URL;
without it, the sources that this environment's release managers have signed, in their order.
The source must be signed by a publisher whom they have signed, too (juju trust publishers
shows all of it), or be named with --allow-unsigned, which the log records. Settings are not
believed: who has the state server can write them. One that names something else is named
here, and nothing is copied until it is signed or --source is typed. --stream chooses one of
the source's streams; the default is what was signed, else released.

What machines run is what this environment's release managers have signed: with their key, which
the client that bootstrapped it holds, the digests of all that was wanted are signed into the
environment's own metadata and published. Without it, a draft is kept that they sign: juju help
trust.

What is in the store is not copied again, and what was signed is never replaced. The state server inspects
every archive itself before anybody can see it. A copy that was cut off, in whatever way,
leaves nothing visible; the same command goes on where it stopped.

--local-dir writes a complete, signed tree into a directory instead. It needs no
environment, and then takes the newest patch of the client's own minor version, believes
the source if this client or a --signer signed it, and signs the tree with this client's
key (juju metadata key), which the environment that loads it must believe. Carry the
directory to the other side of an air gap and load it there with --source.

--verify reads every archive in the store again, compares it with the catalogue, and names
every fault; it ends with 1 if there is any.`,
		Example: `  juju sync-tools
  juju sync-tools --version 1.23 --debug
  juju sync-tools --source /media/stick --all
  juju sync-tools --source https://mirror.example.com/tools --dry-run
  juju sync-tools --local-dir /media/stick --version 1.25 --series trusty --arch amd64
  juju sync-tools --verify --format json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := app.GivenFlags(cmd, "source", "version", "stream", "local-dir"); err != nil {
				return err
			}
			return y.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&y.source, "source", "", "directory or URL to copy from (default: the signed sources)")
	f.StringArrayVar(&y.trusted, "allow-unsigned", nil, "SOURCE, as it is named elsewhere, whose metadata may be unsigned; the log records it")
	f.StringArrayVar(&y.signers, "signer", nil, "with --local-dir: ANCHOR of a publisher whose source is believed, too")
	f.StringVar(&y.version, "version", "", "copy all patch versions of major[.minor]")
	f.StringVar(&y.stream, "stream", "", "released, proposed, devel or testing (default: the signed stream, else released)")
	f.BoolVar(&y.all, "all", false, "copy every version of the client's major")
	f.StringSliceVar(&y.series, "series", nil, "copy for these series only, with commas between")
	f.StringSliceVar(&y.arches, "arch", nil, "copy for these architectures only, with commas between")
	f.StringVar(&y.localDir, "local-dir", "", "write a signed tree into this directory instead of copying into the store")
	f.BoolVar(&y.dryRun, "dry-run", false, "say what would be copied, copy nothing")
	f.BoolVar(&y.verify, "verify", false, "compare every archive in the store with the catalogue, copy nothing")
	signing.YesFlag(f, y.app)
	f.StringVar(&y.format, "format", "tabular", "of the result: tabular, json or yaml")
	return cmd
}

func (y *syncTools) run(ctx context.Context) error {
	sel, err := y.selection()
	switch {
	case err != nil:
		return err
	case y.verify:
		return session.With(ctx, y.app, func(s *session.Session) error { return y.verifyStore(ctx, s) })
	case y.localDir != "":
		return y.toDirectory(ctx, sel)
	}
	return session.With(ctx, y.app, func(s *session.Session) error { return y.toStore(ctx, s, sel) })
}

// toStore copies the wanted archives that the environment's store lacks, tells the environment the
// marks that it does not know, and signs what was wanted.
func (y *syncTools) toStore(ctx context.Context, s *session.Session, sel selection) error {
	believed, env, catalogue, err := y.ask(ctx, s)
	if err == nil {
		err = y.onlySigned(believed, env)
	}
	if err != nil {
		return err
	}
	from, err := y.openSource(ctx, believed)
	if err != nil {
		return app.Fail(err, "Nothing was copied.", signing.NextForSource(err, y.source))
	}
	if sel.auto {
		if sel, err = y.automatic(sel, from, env, catalogue); err != nil {
			return err
		}
	}
	r := newSyncResult(from, sel.of(y.app, from.Found), y.dryRun)
	missing, err := r.missing(catalogue.Stored, false)
	if err != nil {
		return app.Fail(err, "Nothing was copied.", "")
	}
	marks := newMarks(from, catalogue)
	if len(missing)+len(marks) > 0 && !y.dryRun {
		err = y.copyTools(ctx, s, from, marks, missing, r)
	}
	if err == nil && !y.dryRun {
		err = y.signCopied(ctx, s, r)
	}
	return errors.Join(err, r.write(y.app, y.format))
}

// ask gets whom to believe from the signed metadata, and asks the state server for the rest: what it says
// of settings and of its store chooses which archives of a believed publisher are proposed.
func (y *syncTools) ask(ctx context.Context, s *session.Session) (believed events.Publishers, env wire.EnvironmentInfo, c wire.Catalogue, err error) {
	site, err := signing.OpenSite(ctx, y.app, s)
	if err == nil {
		believed, err = site.Publishers()
	}
	if err != nil {
		return believed, env, c, err
	}
	if env, c, err = knowledge(ctx, s); err != nil {
		return believed, env, c, app.Fail(err, "Nothing was copied.", "")
	}
	return believed, env, c, nil
}

// signCopied signs the wanted archives, which are all stored by now, as targets of the site. This
// client has believed the publisher of the source; machines believe only the release managers of the
// site.
func (y *syncTools) signCopied(ctx context.Context, s *session.Session, r *syncResult) error {
	list := make([]tools.Tools, 0, len(r.Archives))
	for _, a := range r.Archives {
		list = append(list, a.found.Tools)
	}
	p, err := signing.OpenSite(ctx, y.app, s)
	if err != nil {
		return err
	}
	return p.SignTools(ctx, list)
}

// copyTools announces the archives and the marks, and copies one archive after another.
func (y *syncTools) copyTools(ctx context.Context, s *session.Session, from source, marks []tools.Marked, missing []streams.Found, r *syncResult) error {
	wanted, list := make([]version.Binary, 0, len(missing)), make([]tools.Tools, 0, len(missing))
	for _, f := range missing {
		// A directory that lacks one archive is found out before any archive is copied.
		if _, _, err := streams.Local(from.Source, f); err != nil {
			return app.Fail(fmt.Errorf("%w: %w", errBadArchive, err), "Nothing was copied.", nextForCopy(errBadArchive))
		}
		wanted, list = append(wanted, f.Version), append(list, f.Tools)
	}
	y.app.Show("From %s, signed by %s:", from, cmp.Or(from.SignedBy, "nobody"))
	for _, line := range signing.ArchivesInWords(list) {
		y.app.Show("  %s", line)
	}
	for _, m := range marks {
		y.app.Show("  %s is %s", m.Version, m.Marks.Words())
	}
	id, err := s.Announce(ctx, events.AskSyncTools{
		Source: from.String(), Wanted: wanted, SignedBy: from.SignedBy, Unsigned: from.SignedBy == "",
		Signing: from.Signing, Marks: marks,
	})
	if err != nil {
		return err
	}
	y.forgetDownloads()
	shown := newBars(y.app)
	defer shown.wait()
	for i, f := range missing {
		p := shown.add(f.Tools, 2)
		if err := y.copyOne(ctx, s, from, f, id, p); err != nil {
			p.end()
			r.set(f.Version, stateFailed)
			return app.Fail(err, fmt.Sprintf("%d of %d archives were copied whole; nothing of this one is visible.", i, len(missing)), nextForCopy(err))
		}
		r.set(f.Version, stateCopied)
	}
	return nil
}

// automatic selects the version that a following upgrade-juju would choose, and every version that
// must be passed through on the way there. A hop that is no floor is the last that is selected.
func (y *syncTools) automatic(sel selection, from source, env wire.EnvironmentInfo, c wire.Catalogue) (selection, error) {
	platforms := session.InUse(c)
	list := slices.Clone(c.Stored)
	for _, f := range from.Found {
		list = append(list, f.Tools)
	}
	hops := version.Path(version.Question{
		Candidates: session.Candidates(list, marksWith(from, c)), Current: env.AgentVersion, Client: version.Current(),
		Policy: version.Policy(env.Settings["upgrade-policy"]), Platforms: platforms,
	})
	y.app.Logger().Debug("choosing as upgrade-juju would", "current", env.AgentVersion, "candidates", len(list), "hops", len(hops))
	var way []version.Number
	for _, hop := range hops {
		switch {
		case hop.Outcome == version.OutcomeUpgrade:
			way = append(way, hop.Chosen)
			y.app.Say("%s: %s", hop.Chosen, hop.Detail)
		case len(way) > 0:
		case hop.Outcome == version.OutcomeError:
			return sel, app.Fail(errors.New(hop.Message), "Nothing was copied.", "name a version: --version MAJOR.MINOR")
		default:
			y.app.Say("no upgrades available from this source: %s", hop.Detail)
		}
		if hop.Reason != version.ReasonFloor {
			break
		}
	}
	sel.number = func(n version.Number) bool { return slices.Contains(way, n) }
	if len(sel.series)+len(sel.arches) == 0 {
		sel.platforms = platforms
	}
	return sel, nil
}
