package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/streams"
)

// syncTools is what `juju sync-tools` was asked.
type syncTools struct {
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
	signers  []string // believed besides those of the setting tools-signers
}

func (a *juju) syncToolsCommand() *cobra.Command {
	var y syncTools
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
without it, the settings agent-metadata-url and tools-source are tried in this order. The
source must be signed by a publisher of the setting tools-signers, or be named with
--allow-unsigned, which the log records. --stream chooses one of its streams; the default
is the setting agent-stream.

What machines run is what this environment's release managers have signed: with their key, which
the client that bootstrapped it holds, the digests of all that was wanted are signed into the
environment's own metadata and published. Without it, a draft is kept that they sign: juju help
trust.

What is in the store is never copied again and never replaced. The state server inspects
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
			return a.syncTools(cmd.Context(), y)
		},
	}
	f := cmd.Flags()
	f.StringVar(&y.source, "source", "", "directory or URL to copy from (default: the settings agent-metadata-url, then tools-source)")
	f.StringArrayVar(&y.trusted, "allow-unsigned", nil, "SOURCE, as it is named elsewhere, whose metadata may be unsigned; the log records it")
	f.StringArrayVar(&y.signers, "signer", nil, "with --local-dir: ANCHOR of a publisher whose source is believed, too")
	f.StringVar(&y.version, "version", "", "copy all patch versions of major[.minor]")
	f.StringVar(&y.stream, "stream", "", "released, proposed, devel or testing (default: the setting agent-stream, else released)")
	f.BoolVar(&y.all, "all", false, "copy every version of the client's major")
	f.StringSliceVar(&y.series, "series", nil, "copy for these series only, with commas between")
	f.StringSliceVar(&y.arches, "arch", nil, "copy for these architectures only, with commas between")
	f.StringVar(&y.localDir, "local-dir", "", "write a signed tree into this directory instead of copying into the store")
	f.BoolVar(&y.dryRun, "dry-run", false, "say what would be copied, copy nothing")
	f.BoolVar(&y.verify, "verify", false, "compare every archive in the store with the catalogue, copy nothing")
	f.StringVar(&y.format, "format", "tabular", "of the result: tabular, json or yaml")
	return cmd
}

func (a *juju) syncTools(ctx context.Context, y syncTools) error {
	sel, err := y.selection()
	switch {
	case err != nil:
		return err
	case y.verify:
		return a.with(ctx, func(s *session) error { return s.verifyTools(ctx, y.format) })
	case y.localDir != "":
		return a.syncToDirectory(ctx, y, sel)
	}
	return a.with(ctx, func(s *session) error { return s.syncToStore(ctx, y, sel) })
}

// syncToStore copies what the environment's store lacks.
func (s *session) syncToStore(ctx context.Context, y syncTools, sel selection) error {
	env, catalogue, err := s.knowledge(ctx)
	if err != nil {
		return app.Fail(err, "Nothing was copied.", "")
	}
	from, err := s.app.openSource(ctx, y, env.Settings)
	if err != nil {
		return app.Fail(err, "Nothing was copied.", signing.NextForSource(err, y.source))
	}
	if sel.auto {
		if sel, err = s.app.automatic(sel, from, env, catalogue); err != nil {
			return err
		}
	}
	r := newSyncResult(from, sel.of(s.app, from.Found), y.dryRun)
	missing, err := r.missing(catalogue.Stored)
	if err != nil {
		return app.Fail(err, "Nothing was copied.", "")
	}
	marks := newMarks(from, catalogue)
	if len(missing)+len(marks) > 0 && !y.dryRun {
		err = s.copyTools(ctx, from, marks, missing, r)
	}
	if err == nil && !y.dryRun {
		err = s.signCopied(ctx, r)
	}
	return errors.Join(err, r.write(s.app, y.format))
}

// signCopied signs the digests of what is in the store now into the site's own targets: the
// source's publisher was believed here, machines believe the site's release managers.
func (s *session) signCopied(ctx context.Context, r *syncResult) error {
	list := make([]tools.Tools, 0, len(r.Archives))
	for _, a := range r.Archives {
		list = append(list, a.found.Tools)
	}
	p, err := signing.OpenSite(ctx, s.app.App, s.Session)
	if err != nil {
		return err
	}
	return p.SignTools(ctx, list)
}

// knowledge is what the state server says of the environment and of what is stored.
func (s *session) knowledge(ctx context.Context) (wire.EnvironmentInfo, wire.Catalogue, error) {
	env, err := s.Environment(ctx)
	if err != nil {
		return env, wire.Catalogue{}, err
	}
	c, err := s.Stored(ctx)
	return env, c, err
}

// copyTools announces the archives and the marks, and copies one archive after another.
func (s *session) copyTools(ctx context.Context, from source, marks []tools.Marked, missing []streams.Found, r *syncResult) error {
	wanted := make([]version.Binary, 0, len(missing))
	for _, f := range missing {
		if _, _, err := streams.Local(from.Source, f); err != nil { // all of a stick, or nothing
			return app.Fail(fmt.Errorf("%w: %w", errBadArchive, err), "Nothing was copied.", nextForCopy(errBadArchive))
		}
		wanted = append(wanted, f.Version)
	}
	id, err := s.announce(ctx, events.AskSyncTools{
		Source: from.String(), Wanted: wanted, SignedBy: from.SignedBy, Unsigned: from.SignedBy == "",
		Signing: from.Signing, Marks: marks,
	})
	if err != nil {
		return err
	}
	for _, m := range marks {
		s.app.Say("%s is %s, says %s", m.Version, m.Marks.Words(), from)
	}
	s.app.forgetDownloads()
	shown := newBars(s.app)
	defer shown.wait()
	for i, f := range missing {
		p := shown.add(f.Tools, 2)
		if err := s.copyOne(ctx, from, f, id, p); err != nil {
			p.end()
			r.set(f.Version, stateFailed)
			return app.Fail(err, fmt.Sprintf("%d of %d archives were copied whole; nothing of this one is visible.", i, len(missing)), nextForCopy(err))
		}
		r.set(f.Version, stateCopied)
	}
	return nil
}

// nextForCopy is what to type after an archive could not be copied.
func nextForCopy(err error) string {
	if errors.Is(err, errBadArchive) {
		return "have the source repaired (juju metadata validate-tools), or name another one: --source DIR|URL"
	}
	return "run juju sync-tools again; it goes on where it stopped"
}

// automatic selects what a following upgrade-juju would choose, and every version that
// must be passed through before it.
func (a *juju) automatic(sel selection, from source, env wire.EnvironmentInfo, c wire.Catalogue) (selection, error) {
	platforms := inUse(c)
	list := slices.Clone(c.Stored)
	for _, f := range from.Found {
		list = append(list, f.Tools)
	}
	hops := version.Path(version.Question{
		Candidates: candidates(list, joinMarks(from.Found, c)), Current: env.AgentVersion, Client: version.Current(),
		Policy: version.Policy(env.Settings["upgrade-policy"]), Platforms: platforms,
	})
	a.Logger().Debug("choosing as upgrade-juju would", "current", env.AgentVersion, "candidates", len(list), "hops", len(hops))
	var way []version.Number
	for _, hop := range hops {
		switch {
		case hop.Outcome == version.OutcomeUpgrade:
			way = append(way, hop.Chosen)
			a.Say("%s: %s", hop.Chosen, hop.Detail)
		case len(way) > 0:
		case hop.Outcome == version.OutcomeError:
			return sel, app.Fail(errors.New(hop.Message), "Nothing was copied.", "name a version: --version MAJOR.MINOR")
		default:
			a.Say("no upgrades available from this source: %s", hop.Detail)
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
