package upgrade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/streams"
)

// upgradePath is `juju upgrade-path`.
type upgradePath struct {
	app       *app.App
	available string
	source    string
	stream    string
	unsigned  []string
	current   string
	client    string
	policy    string
	to        string
	format    string
}

func (u *upgradePath) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "upgrade-path", Short: "Show which versions an upgrade would go through, and why not others", Args: cobra.NoArgs,
		Long: `Show the whole way from the environment's version to the newest that can be reached, or to
--to: each hop with its reason, and the reason against every other version. The first hop
is what upgrade-juju would choose now. Nothing is changed.

The versions are those of the environment: in its store, and in its sources. As a what-if
they are named (--available) or read from another source (--source), and --agent-version
and --client-version say what runs; with both versions and available ones given, no
environment is needed.

Each candidate is judged at the hop that passes it: a version that is chosen at any hop is
"chosen", every other is "rejected"; where an error is about it, with the code of the error.

Reasons of hops and candidates:

` + wordsHelp(version.Reasons) + `
Codes of errors (exit code 1; a wrong command line ends with 2, all else with 0):

` + wordsHelp(version.Codes),
		Example: `  juju upgrade-path
  juju upgrade-path --to 1.25.1 --format json
  juju upgrade-path --available 1.23,1.24,1.25,1.25.1,2.1,2.2 --agent-version 1.22 --client-version 1.24
  juju upgrade-path --source /media/stick --policy newest`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := app.GivenFlags(cmd, "source", "stream", "agent-version", "client-version", "policy", "to"); err != nil {
				return err
			}
			if cmd.Flags().Changed("available") && strings.Trim(u.available, ", ") == "" {
				return app.Usage("--available names no version")
			}
			return u.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&u.available, "available", "", "versions that are published, with commas between")
	f.StringVar(&u.source, "source", "", "directory or URL of a tree of tools that is looked into instead")
	f.StringVar(&u.stream, "stream", "", "the stream of --source: released, proposed, devel or testing (default: the environment's, else released)")
	f.StringArrayVar(&u.unsigned, "allow-unsigned", nil, "SOURCE, as it is named elsewhere, whose metadata may be unsigned")
	f.StringVar(&u.current, "agent-version", "", "what the environment runs (default: what it does)")
	f.StringVar(&u.client, "client-version", "", "what the client is (default: what it is)")
	f.StringVar(&u.policy, "policy", "", "step, newest or patch (default: the setting upgrade-policy)")
	f.StringVar(&u.to, "to", "", "the version to reach (default: the newest that can be)")
	f.StringVar(&u.format, "format", "tabular", "tabular (or table), json or yaml")
	return cmd
}

// wordsHelp lists words with their meanings.
func wordsHelp(words []version.Word) string {
	var b strings.Builder
	for _, w := range words {
		fmt.Fprintf(&b, "  %-16s %s\n", w.Word, w.Meaning)
	}
	return b.String()
}

func (u *upgradePath) run(ctx context.Context) error {
	q, err := u.question()
	if err != nil {
		return err
	}
	if u.needsEnvironment() {
		err = session.With(ctx, u.app, func(s *session.Session) error { return u.complete(ctx, site{s, u.app}, &q) })
	} else {
		err = u.completeAlone(ctx, &q)
	}
	if err != nil {
		return err
	}
	p := newPath(q, version.Path(q))
	if err := p.write(u.app.Stdout, u.format); err != nil {
		return err
	}
	if p.Error != nil {
		next := ""
		if p.Error.Code == version.CodeUnreachable && version.Choose(q).Outcome == version.OutcomeUpgrade {
			next = fmt.Sprintf("juju upgrade-juju --version %s goes there at once, past the policy", q.To)
		}
		return app.Fail(errors.New(p.Error.Message), "Nothing was changed.", next)
	}
	return nil
}

// question reads the part of the question that stands on the command line.
func (u *upgradePath) question() (version.Question, error) {
	q := version.Question{Client: version.Current()}
	if !slices.Contains([]string{"tabular", "table", "json", "yaml"}, u.format) {
		return q, app.Usage("format %q is not tabular, json or yaml", u.format)
	}
	if u.available != "" && u.source != "" {
		return q, app.Usage("--available and --source do not go together")
	}
	if u.stream != "" && u.source == "" {
		return q, app.Usage("--stream names a stream of --source; the environment's own is its setting agent-stream")
	}
	for _, f := range []struct {
		flag, text string
		to         *version.Number
	}{{"agent-version", u.current, &q.Current}, {"client-version", u.client, &q.Client}, {"to", u.to, &q.To}} {
		if f.text == "" {
			continue
		}
		n, err := version.ParsePerson(f.text)
		if err != nil {
			return q, app.Usage("--%s: %v", f.flag, err)
		}
		*f.to = n
	}
	for _, text := range strings.FieldsFunc(u.available, func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := version.ParsePerson(text)
		if err != nil {
			return q, app.Usage("--available: %v", err)
		}
		q.Candidates = append(q.Candidates, version.Candidate{Number: n})
	}
	var err error
	q.Policy, err = parsePolicy(u.policy)
	return q, err
}

// needsEnvironment says whether a part of the question is not on the command line.
func (u *upgradePath) needsEnvironment() bool {
	return u.current == "" || (u.available == "" && u.source == "")
}

// site is a session that also knows, from the signed metadata, whose trees are believed.
type site struct {
	*session.Session
	app *app.App
}

func (s site) Publishers(ctx context.Context) (events.Publishers, error) {
	p, err := signing.OpenSite(ctx, s.app, s.Session)
	if err != nil {
		return events.Publishers{}, err
	}
	return p.Publishers()
}

// knower asks the state server about the environment and its tools.
type knower interface {
	Environment(ctx context.Context) (wire.EnvironmentInfo, error)
	Catalogue(ctx context.Context) (wire.Catalogue, error)
	Publishers(ctx context.Context) (events.Publishers, error)
}

// complete asks the environment for what the command line left out.
func (u *upgradePath) complete(ctx context.Context, s knower, q *version.Question) error {
	env, err := s.Environment(ctx)
	if err != nil {
		return err
	}
	if u.current == "" {
		q.Current = env.AgentVersion
	}
	if u.policy == "" {
		q.Policy = version.Policy(env.Settings["upgrade-policy"])
	}
	if u.available != "" {
		return nil
	}
	catalogue, err := s.Catalogue(ctx)
	if err != nil {
		return err
	}
	q.Platforms = session.InUse(catalogue)
	if u.source == "" {
		for _, problem := range catalogue.Problems {
			u.app.Say("WARNING %s", problem)
		}
		q.Candidates = session.Candidates(session.Available(catalogue), catalogue.Marks)
		return nil
	}
	believed, err := s.Publishers(ctx)
	if err != nil {
		return err
	}
	return u.look(ctx, believed, q)
}

// completeAlone completes the question without an environment. If a source is named, its versions
// are the candidates. Then this client believes only the trees that it has signed itself and the
// sources of --allow-unsigned.
func (u *upgradePath) completeAlone(ctx context.Context, q *version.Question) error {
	if u.source == "" {
		return nil
	}
	believed, err := signing.OwnPublishers(u.app.Store())
	if err != nil {
		return err
	}
	return u.look(ctx, believed, q)
}

// look reads the candidates from a source.
func (u *upgradePath) look(ctx context.Context, believed events.Publishers, q *version.Question) error {
	believed.Unsigned = slices.Concat(believed.Unsigned, u.unsigned)
	src, err := streams.Open(u.source, signing.Trusting(u.app.Store(), believed))
	var l streams.Listing
	if err == nil {
		l, err = src.List(ctx, cmp.Or(u.stream, believed.Stream, "released"))
	}
	if err != nil {
		return app.Fail(err, "", signing.NextForSource(err, u.source))
	}
	q.Candidates = simplestreams.Candidates(l.Found)
	return nil
}
