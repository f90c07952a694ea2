package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/statesrv"
	"github.com/jujube-project/jujube/statesrv/streams"
)

// syncTools is what `juju sync-tools` was asked.
type syncTools struct {
	source  string
	version string
	stream  string
	all     bool
	dryRun  bool
	trusted []string // sources that may be unsigned
}

func (a *App) syncToolsCommand() *cobra.Command {
	var y syncTools
	cmd := &cobra.Command{
		Use: "sync-tools", Short: "Copy server software into the environment's store", Args: cobra.NoArgs,
		Long: `Copy tools, that is, archives of jujud, from a source into the store of the state server.
This is for environments whose state server has no internet: the client, which presumably
has, downloads the software and hands it over before an upgrade is requested.

Without --version, the version that a following upgrade-juju would choose is copied.
--version takes major.minor only: all patch versions of it are copied ("use '1.24' not
'1.24.5'"). --all copies every version of the client's major. Tools are copied for the
series and architectures that the environment's machines have. What is in the store
already is not copied again; a copy that was cut off goes on where it stopped.

--source is a directory, as juju metadata generate-tools makes it, or a URL.`,
		Example: `  juju sync-tools
  juju sync-tools --version 1.23 --debug
  juju sync-tools --source /media/stick --all
  juju sync-tools --source https://mirror.example.com/tools --dry-run`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(s *session) error { return s.syncTools(cmd.Context(), y) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&y.source, "source", "", "directory or URL to copy from (default: the settings agent-metadata-url, then tools-source)")
	f.StringArrayVar(&y.trusted, "allow-unsigned", nil, "SOURCE, as it is named elsewhere, whose metadata may be unsigned; the log records it")
	f.StringVar(&y.version, "version", "", "copy all patch versions of major[.minor]")
	f.StringVar(&y.stream, "stream", "released", "released, proposed, devel or testing")
	f.BoolVar(&y.all, "all", false, "copy every version of the client's major")
	f.BoolVar(&y.dryRun, "dry-run", false, "say what would be copied, copy nothing")
	return cmd
}

func (s *session) syncTools(ctx context.Context, y syncTools) error {
	wanted, err := parseSelection(y)
	if err != nil {
		return err
	}
	env, err := s.environment(ctx)
	if err != nil {
		return fail(err, "Nothing was copied.", "")
	}
	src, listing, err := s.openSource(ctx, y, env)
	if err != nil {
		return fail(err, "Nothing was copied.", nextForSource(err, y.source))
	}
	found := listing.Found
	catalogue, err := s.catalogue(ctx)
	if err != nil {
		return fail(err, "Nothing was copied.", "")
	}
	platforms := inUse(catalogue)
	selected := slices.DeleteFunc(slices.Clone(found), func(f streams.Found) bool { _, used := platforms[f.Version.Platform()]; return !used })
	if wanted == nil {
		if wanted, err = s.automatic(ctx, selected, env, platforms); err != nil {
			return err
		}
	}
	selected = slices.DeleteFunc(selected, func(f streams.Found) bool { return !wanted(f.Version.Number) })
	missing := slices.DeleteFunc(slices.Clone(selected), func(f streams.Found) bool {
		return slices.ContainsFunc(catalogue.Stored, func(t tools.Tools) bool { return t.Version == f.Version })
	})
	fmt.Fprintf(s.app.Stdout, "found %d archives in %s, %d of them wanted, %d already in the store\n", len(found), src, len(selected), len(selected)-len(missing))
	if y.dryRun {
		for _, f := range missing {
			fmt.Fprintf(s.app.Stdout, "would copy %s (%s)\n", f.Version, bytesText(f.Size))
		}
		return nil
	}
	return s.copyTools(ctx, src, listing, newMarks(found, catalogue), missing)
}

// openSource opens the source and lists it, as the environment's settings and
// --allow-unsigned trust it.
func (s *session) openSource(ctx context.Context, y syncTools, env statesrv.Environment) (streams.Source, streams.Listing, error) {
	base := y.source
	for _, key := range []string{"agent-metadata-url", "tools-source"} {
		if base == "" && env.Settings[key] != "none" {
			base = env.Settings[key]
		}
	}
	if base == "" {
		return nil, streams.Listing{}, errors.New("the environment names no source of tools")
	}
	trust := s.app.trusting(statesrv.Words(env.Settings["tools-signers"]), append(statesrv.Words(env.Settings["tools-unsigned"]), y.trusted...))
	src, err := streams.Open(base, trust)
	if err != nil {
		return nil, streams.Listing{}, err
	}
	listing, err := src.List(ctx, y.stream)
	return src, listing, err
}

// nextForSource is what to type after a source was refused.
func nextForSource(err error, source string) string {
	switch {
	case errors.Is(err, tools.ErrUnsigned):
		return "have it signed (juju metadata generate-tools), or say that it may be unsigned: --allow-unsigned " + source
	case errors.Is(err, tools.ErrSigner):
		return "if that signer is to be believed, add its key to the setting tools-signers (juju set-env)"
	case errors.Is(err, tools.ErrExpired):
		return "have it signed anew: juju metadata generate-tools"
	}
	return "name another source: --source DIR|URL"
}

// newMarks are the marks of versions that differ from what the environment knows.
func newMarks(found []streams.Found, c statesrv.Catalogue) []tools.Marked {
	said := map[version.Number]tools.Marks{}
	for _, f := range found {
		said[f.Version.Number] = said[f.Version.Number].Or(f.Marks)
	}
	known := map[version.Number]tools.Marks{}
	for _, m := range c.Marks {
		known[m.Version] = m.Marks
	}
	var news []tools.Marked
	for n, m := range said {
		if known[n] != m {
			news = append(news, tools.Marked{Version: n, Marks: m})
		}
	}
	slices.SortFunc(news, func(a, b tools.Marked) int { return a.Version.Compare(b.Version) })
	return news
}

// parseSelection reads --version and --all; nil means that a version is chosen.
func parseSelection(y syncTools) (func(version.Number) bool, error) {
	if y.all && y.version != "" {
		return nil, usage("--all and --version do not go together")
	}
	if y.all {
		major := version.Current().Major
		return func(n version.Number) bool { return n.Major == major }, nil
	}
	if y.version == "" {
		return nil, nil
	}
	parts := strings.Split(y.version, ".")
	if len(parts) == 3 {
		return nil, usage("--version takes major.minor only: use %q not %q", parts[0]+"."+parts[1], y.version)
	}
	var numbers []int
	for _, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || len(parts) > 2 {
			return nil, usage("--version %q is not major or major.minor, such as 1.23", y.version)
		}
		numbers = append(numbers, n)
	}
	return func(n version.Number) bool {
		return n.Major == numbers[0] && (len(numbers) == 1 || n.Minor == numbers[1])
	}, nil
}

// automatic chooses what a following upgrade-juju would choose from this source.
func (s *session) automatic(_ context.Context, found []streams.Found, env statesrv.Environment, platforms map[string][]string) (func(version.Number) bool, error) {
	a := version.Choose(version.Question{
		Candidates: simplestreams.Candidates(found), Current: env.AgentVersion, Client: version.Current(),
		Policy: version.Policy(env.Settings["upgrade-policy"]), Platforms: platforms,
	})
	switch a.Outcome {
	case version.OutcomeError:
		return nil, fail(errors.New(a.Message), "Nothing was copied.", "name a version: --version MAJOR.MINOR")
	case version.OutcomeNoUpgrade:
		s.app.say("no upgrades available from this source: %s", a.Detail)
		return func(version.Number) bool { return false }, nil
	}
	s.app.say("%s is what upgrade-juju would choose: %s", a.Chosen, a.Detail)
	return func(n version.Number) bool { return n == a.Chosen }, nil
}

func (s *session) copyTools(ctx context.Context, src streams.Source, listing streams.Listing, marks []tools.Marked, missing []streams.Found) error {
	var copied int64
	if len(missing)+len(marks) == 0 {
		fmt.Fprintln(s.app.Stdout, "copied 0 archives: nothing was missing")
		return nil
	}
	wanted := make([]version.Binary, 0, len(missing))
	for _, f := range missing {
		wanted = append(wanted, f.Version)
	}
	id, err := s.announce(ctx, events.AskSyncTools{
		Source: src.String(), Wanted: wanted, SignedBy: listing.SignedBy, Unsigned: listing.SignedBy == "", Marks: marks,
	})
	if err != nil {
		return err
	}
	for i, f := range missing {
		if err := s.copyOne(ctx, src, f, id); err != nil {
			return fail(err, fmt.Sprintf("%d of %d archives were copied whole; nothing of this one is visible.", i, len(missing)),
				"run juju sync-tools again; it goes on where it stopped")
		}
		copied += f.Size
		fmt.Fprintf(s.app.Stdout, "copied %s (%s)\n", f.Version, bytesText(f.Size))
	}
	fmt.Fprintf(s.app.Stdout, "copied %d archives, %s\n", len(missing), bytesText(copied))
	return nil
}

// copyOne checks the archive as it is read, before the state server checks it again. An
// archive from a URL passes through a file, so that a cut-off upload can go on.
func (s *session) copyOne(ctx context.Context, src streams.Source, f streams.Found, id string) error {
	dir, err := os.MkdirTemp("", "juju-sync-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, f.FileName())
	body, err := src.Fetch(ctx, f, 0)
	if err != nil {
		return err
	}
	out, err := os.Create(path)
	if err == nil {
		_, err = io.Copy(out, io.LimitReader(body, f.Size+1))
		err = errors.Join(err, out.Close())
	}
	if err = errors.Join(err, body.Close()); err != nil {
		return fmt.Errorf("read %s from %s: %w", f.Path, src, err)
	}
	got, err := streams.Describe(path)
	if err != nil {
		return fmt.Errorf("check %s from %s: %w", f.Path, src, err)
	}
	if got != f.Tools {
		return fmt.Errorf("check %s from %s: expected %d bytes with sha256 %s, found %d bytes with %s", f.Path, src, f.Size, f.SHA256, got.Size, got.SHA256)
	}
	return s.uploadFile(ctx, id, src.String(), f.Tools, path)
}
