package tools

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/streams"
)

// metadataCommand is the group `juju metadata`.
func metadataCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use: "metadata", Short: "Build, sign and check trees of tools",
		Long: `Build, sign and check simplestreams trees of tools, for juju sync-tools --source, for the
setting agent-metadata-url, and for mirrors.

A tree is signed with this client's own repository of keys (TUF, The Update Framework), which
is made when it is first needed and never leaves JUJU_DATA/vendor. An environment takes trees
of the client that bootstrapped it; to let it take those of another one, print its anchor, the
digest of its first root, with juju metadata key and sign that: juju trust publishers.
What machines run is signed again, by the environment's own release managers: juju help trust.`,
		Example: "  juju metadata generate-tools -d /media/stick\n  juju metadata validate-tools -d /media/stick\n  juju metadata key",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return app.Usage("juju metadata has no command %q; juju help metadata lists them", args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand((&generateTools{app: a}).command(), (&validateTools{app: a}).command(), (&metadataKey{app: a}).command())
	return cmd
}

// metadataKey is `juju metadata key`.
type metadataKey struct{ app *app.App }

func (c *metadataKey) command() *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Print the anchor of the trees that this client signs", Args: cobra.NoArgs,
		Long: `Print the digest of the root that all trees which this client signs follow from. An environment
whose release managers add it to its publishers takes those trees in.`,
		Example: "  juju metadata key\n  juju trust publishers --add-signer 5f2ab0c1d4e58f6a77b0c1d4e58f6a9f86d081884c7d659a2feaa0c55ad015a3",
		RunE:    func(*cobra.Command, []string) error { return c.run() },
	}
}

func (c *metadataKey) run() error {
	vendor, err := signing.Vendor(c.app.Store())
	if err == nil {
		_, err = fmt.Fprintln(c.app.Stdout, vendor.Anchor())
	}
	return err
}

// generateTools is `juju metadata generate-tools`.
type generateTools struct {
	app      *app.App
	dir      string
	stream   string
	clean    bool
	expires  time.Duration
	revoke   []string // V=REASON
	floors   []string
	deadEnds []string
	unmark   []string
}

// signatureLife is the default of how long a signature of a tree is believed. It is long because a
// site without internet signs anew only rarely.
const signatureLife = 365 * 24 * time.Hour

func (g *generateTools) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "generate-tools -d DIR", Short: "Build or refresh the signed metadata of a tree of tools", Args: cobra.NoArgs,
		Long: `Read the archives in DIR/tools/STREAM, DIR/tools and DIR, named
juju-NUMBER-SERIES-ARCH.tgz (tar czf makes one of jujud), and write the metadata that lists
them, in the layout that Juju 1.25 publishes, and beside it tools/streams/v1/trust.json, which
signs all of it. Every archive is checked first;
if one is bad, nothing is written. Doing it again changes nothing, until half the time of
the signatures is over; then they are renewed.

What a version is marked as stays so until it is unmarked: --revoke names a version that
must not be installed, --floor one that must be passed through on the way to newer ones,
--dead-end one from which nothing newer can be reached.`,
		Example: `  juju metadata generate-tools -d /media/stick
  juju metadata generate-tools -d /srv/mirror --stream devel --clean
  juju metadata generate-tools -d /srv/mirror --revoke 1.25.2=loses-settings --floor 1.24.7`,
		RunE: func(*cobra.Command, []string) error { return g.run() },
	}
	f := cmd.Flags()
	f.StringVarP(&g.dir, "directory", "d", "", "the directory that holds, or will hold, tools/")
	f.StringVar(&g.stream, "stream", "released", "released, proposed, devel or testing")
	f.BoolVar(&g.clean, "clean", false, "forget the old metadata: marks, and other streams")
	f.DurationVar(&g.expires, "expires", signatureLife, "how long the signatures are believed")
	f.StringArrayVar(&g.revoke, "revoke", nil, "VERSION=REASON: it must not be installed")
	f.StringArrayVar(&g.floors, "floor", nil, "VERSION that must be passed through")
	f.StringArrayVar(&g.deadEnds, "dead-end", nil, "VERSION from which nothing newer can be reached")
	f.StringArrayVar(&g.unmark, "unmark", nil, "VERSION that is none of these any more")
	return cmd
}

func (g *generateTools) run() error {
	if g.dir == "" {
		return app.Usage("-d names the directory")
	}
	if g.expires <= 0 {
		return app.Usage("--expires %v: signatures must last", g.expires)
	}
	marks, err := g.marks()
	if err != nil {
		return err
	}
	vendor, err := signing.Vendor(g.app.Store())
	if err != nil {
		return err
	}
	made, err := streams.Generate(g.dir, streams.Plan{
		Stream: g.stream, Clean: g.clean, Marks: marks, Signer: vendor, Life: g.expires, Now: time.Now(),
	})
	if err != nil {
		return app.Fail(err, "", "")
	}
	if !made.Changed {
		fmt.Fprintf(g.app.Stdout, "%d archives of stream %s; the metadata says so already\n", len(made.Found), g.stream)
		return nil
	}
	for _, f := range made.Found {
		g.app.Say("  %s  %s", f.Version, app.Bytes(f.Size))
	}
	fmt.Fprintf(g.app.Stdout, "wrote metadata of %d archives of stream %s in %s, signed by %s\n", len(made.Found), g.stream, g.dir, vendor.Anchor())
	return nil
}

// marks reads the flags that mark versions. A version that is only unmarked has no marks.
func (g *generateTools) marks() (map[version.Number]tools.Marks, error) {
	marks := map[version.Number]tools.Marks{}
	for _, m := range []struct {
		flag string
		args []string
		mark func(m *tools.Marks, reason string)
	}{
		{"unmark", g.unmark, func(*tools.Marks, string) {}},
		{"revoke", g.revoke, func(m *tools.Marks, reason string) { m.Revoked = reason }},
		{"floor", g.floors, func(m *tools.Marks, _ string) { m.Floor = true }},
		{"dead-end", g.deadEnds, func(m *tools.Marks, _ string) { m.DeadEnd = true }},
	} {
		for _, arg := range m.args {
			text, reason, given := strings.Cut(arg, "=")
			n, err := version.ParsePerson(text)
			if err != nil {
				return nil, app.Usage("--%s: %v", m.flag, err)
			}
			if given != (m.flag == "revoke") || (given && reason == "") {
				return nil, app.Usage("--%s %q: a version is revoked for a reason, VERSION=REASON; the other marks have none", m.flag, arg)
			}
			old := marks[n]
			m.mark(&old, reason)
			marks[n] = old
		}
	}
	return marks, nil
}

// validateTools is `juju metadata validate-tools`.
type validateTools struct {
	app     *app.App
	dir     string
	stream  string
	signers []string // believed beside this client
}

func (c *validateTools) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "validate-tools -d DIR", Short: "Check a tree of tools against its metadata", Args: cobra.NoArgs,
		Long: `Read every archive that the metadata in DIR lists and name every fault at once: missing
files, wrong sizes, wrong hashes, bad archives, malformed entries, unknown series, and
metadata that is unsigned, expired, or signed by somebody else than this client and --signer.`,
		Example: "  juju metadata validate-tools -d /media/stick",
		RunE:    func(*cobra.Command, []string) error { return c.run() },
	}
	f := cmd.Flags()
	f.StringVarP(&c.dir, "directory", "d", "", "the directory that holds tools/")
	f.StringVar(&c.stream, "stream", "released", "released, proposed, devel or testing")
	f.StringArrayVar(&c.signers, "signer", nil, "anchor of a publisher who may have signed it, beside this client's")
	return cmd
}

func (c *validateTools) run() error {
	if c.dir == "" {
		return app.Usage("-d names the directory")
	}
	believed, err := signing.OwnPublishers(c.app.Store())
	if err != nil {
		return err
	}
	believed.Signers = append(believed.Signers, c.signers...)
	faults := streams.Validate(c.dir, c.stream, signing.Trusting(c.app.Store(), believed))
	for _, f := range faults {
		fmt.Fprintln(c.app.Stdout, f)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d faults in %s", len(faults), c.dir)
	}
	fmt.Fprintf(c.app.Stdout, "stream %s in %s is in good order\n", c.stream, c.dir)
	return nil
}
