package upgrade

import (
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
)

// upgrade is `juju upgrade-juju`.
type upgrade struct {
	app     *app.App
	version string
	policy  string
	dryRun  bool
	wait    bool
	reset   bool
	back    bool // --rollback
	upload  bool
	jujud   string
}

func (u *upgrade) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "upgrade-juju", Short: "Upgrade the server software of the whole environment", Args: cobra.NoArgs,
		Long: `Upgrade the server software, jujud, on every machine of the environment. All agents are
restarted; workloads are not touched. Before, see that the environment is in good order
(juju status), and that its tools are there (juju sync-tools).

Without --version a version is chosen, as the manual says: if client and environment have
the same major version, the newest patch of the next minor version; if that is not
available, the newest patch of the current one; if the majors differ, the client's
version. "juju help selection" has examples, and juju upgrade-path shows the whole way and
why each version is, or is not, chosen. --policy chooses in another way. An explicit
version must have tools for every series and architecture in use.

A lower patch of the same minor is allowed with --rollback, which goes with --version:
machines that run a newer version go back to it. Without it no machine goes back, whatever
the state server says that they run: each one knows what it runs, and refuses.

--dry-run runs every check, names everything that forbids the upgrade, and changes
nothing. --wait shows each step and ends with the upgrade: well, or halted, with the
machine and the reason. --reset-previous-upgrade aborts an upgrade that is in progress or
was halted, and goes on with this one.`,
		Example: `  juju upgrade-juju --debug
  juju upgrade-juju --version 1.25.1 --debug
  juju upgrade-juju --dry-run
  juju upgrade-juju --yes --wait
  juju upgrade-juju --version 1.25.0 --rollback
  juju upgrade-juju --reset-previous-upgrade --version 1.25.3`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := app.GivenFlags(cmd, "version", "policy"); err != nil {
				return err
			}
			if _, err := parsePolicy(u.policy); err != nil {
				return err
			}
			if u.back && u.version == "" {
				return app.Usage("--rollback goes with --version: say which version the machines go back to")
			}
			return session.With(cmd.Context(), u.app, func(s *session.Session) error { return u.run(cmd.Context(), s) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&u.version, "version", "", "the version to upgrade to; chosen if not given")
	f.StringVar(&u.policy, "policy", "", "how a version is chosen: step, newest or patch (default: the setting upgrade-policy)")
	f.BoolVar(&u.dryRun, "dry-run", false, "check everything, change nothing")
	f.BoolVarP(&u.app.Yes, "yes", "y", false, "do not ask before an upgrade in progress is aborted, or a draft is signed with --upload-tools")
	f.BoolVar(&u.wait, "wait", false, "wait for the end, and show each step")
	f.BoolVar(&u.reset, "reset-previous-upgrade", false, "abort the upgrade in progress first")
	f.BoolVar(&u.back, "rollback", false, "let machines go back to an older version than they run; goes with --version")
	f.BoolVar(&u.upload, "upload-tools", false, "package and upload the local jujud; should not be used by the end user")
	f.StringVar(&u.jujud, "jujud", "", "the jujud that --upload-tools packages (default: beside juju, then in the PATH)")
	return cmd
}

// run resolves the version, says what will happen and why, and asks.
func (u *upgrade) run(ctx context.Context, s *session.Session) error {
	q, list, err := u.question(ctx, s)
	if err != nil {
		return err
	}
	answer := version.Choose(q)
	if answer.Outcome == version.OutcomeNoUpgrade && behind(ctx, s, q) {
		answer = version.Answer{Outcome: version.OutcomeUpgrade, Chosen: q.Current, Reason: "repair", Detail: "some agents do not run it"}
	}
	switch answer.Outcome {
	case version.OutcomeError:
		return app.Fail(errors.New(answer.Message), "Nothing was changed.", nextFor(answer, q))
	case version.OutcomeNoUpgrade:
		what := "no upgrades available"
		if !q.To.IsZero() {
			what = "nothing to do"
		}
		u.app.Say("%s: %s", what, answer.Detail)
		return nil
	}
	ask := &events.AskUpgrade{
		To: answer.Chosen, Client: q.Client, Reset: u.reset, Rollback: u.back,
		Artefacts: session.Artefacts(list, answer.Chosen, q.Platforms),
	}
	reasons, err := blockers(ctx, s, ask)
	if err != nil {
		return err
	}
	u.explainChoice(q, answer, ask)
	if err := u.onlySigned(ctx, s, ask.Artefacts); err != nil && len(reasons) == 0 {
		return err
	}
	if len(reasons) > 0 {
		return app.Refused{What: "upgrade to " + answer.Chosen.String(), Reasons: reasons}
	}
	if u.dryRun {
		u.app.Say("Nothing forbids it. To do it: juju upgrade-juju --version %s%s", answer.Chosen, map[bool]string{true: " --rollback"}[u.back])
		return nil
	}
	if u.reset && !u.app.Yes && !u.app.Confirm("An upgrade in progress, if there is one, will be aborted.") {
		return app.Fail(errors.New("not reset, nothing started"), "Nothing was changed.", "")
	}
	return u.start(ctx, s, ask)
}

// start asks for the upgrade and says what became of it.
func (u *upgrade) start(ctx context.Context, s *session.Session, ask *events.AskUpgrade) error {
	recs, err := s.Request(ctx, events.Ask{Action: events.ActionUpgrade, Upgrade: ask})
	if err != nil {
		return err
	}
	id := recs[0].Correlation
	if needed := session.WaitsFor(recs); needed > 0 {
		u.app.Say("Upgrade %s to %s waits until %d operators agree; another one may: juju approve %s", id, ask.To, needed, id)
		return nil
	}
	u.app.Say("Upgrade %s to %s has started", id, ask.To)
	if !u.wait {
		u.app.Say("Track it with: juju status --watch")
		return nil
	}
	return (&follower{u.app, id}).follow(ctx, s.Log(), recs)
}

// onlySigned refuses archives that the release managers have not signed. It trusts the signed
// metadata alone, not what the state server says of the archives, and it is called before the
// request is signed.
func (u *upgrade) onlySigned(ctx context.Context, s *session.Session, list []tools.Tools) error {
	p, err := signing.OpenSite(ctx, u.app, s)
	if err != nil {
		return err
	}
	for _, t := range list {
		if err := p.Trusted.Tools(t); err != nil {
			return app.Fail(err, "Nothing was asked.",
				fmt.Sprintf("juju sync-tools --version %d.%d signs it, with a release manager's key", t.Version.Major, t.Version.Minor))
		}
	}
	return nil
}

// question gathers what the choice of a version depends on, and lists the archives to choose from.
func (u *upgrade) question(ctx context.Context, s *session.Session) (version.Question, []tools.Tools, error) {
	q := version.Question{Client: version.Current()}
	if u.version != "" {
		to, err := version.ParsePerson(u.version)
		if err != nil {
			return q, nil, app.Usage("--version: %v", err)
		}
		q.To = to
	}
	policy, err := parsePolicy(u.policy)
	if err != nil {
		return q, nil, err
	}
	env, err := s.Environment(ctx)
	if err != nil {
		return q, nil, app.Fail(err, "Nothing was changed.", "")
	}
	if u.upload {
		if u.dryRun {
			return q, nil, app.Usage("--upload-tools uploads; it does not go with --dry-run")
		}
		if q.To, err = u.uploadTools(ctx, s, q.To); err != nil {
			return q, nil, err
		}
	}
	catalogue, err := s.Catalogue(ctx)
	if err != nil {
		return q, nil, app.Fail(err, "Nothing was changed.", "")
	}
	for _, problem := range catalogue.Problems {
		u.app.Say("WARNING %s", problem)
	}
	list := session.Available(catalogue)
	q.Current, q.Policy = env.AgentVersion, policy
	if policy == "" {
		q.Policy = version.Policy(env.Settings["upgrade-policy"])
	}
	q.Candidates, q.Platforms = session.Candidates(list, catalogue.Marks), session.InUse(catalogue)
	return q, list, nil
}

// parsePolicy reads --policy; empty means that the environment's setting holds.
func parsePolicy(text string) (version.Policy, error) {
	p := version.Policy(text)
	if !slices.Contains([]version.Policy{"", version.PolicyStep, version.PolicyNewest, version.PolicyPatch}, p) {
		return p, app.Usage("--policy %q is not one of %s, %s and %s", text, version.PolicyStep, version.PolicyNewest, version.PolicyPatch)
	}
	return p, nil
}

// behind says whether the version that was asked for is the environment's own, and some agent runs
// another one. Then the upgrade repairs: it brings those agents to that version.
func behind(ctx context.Context, s wire.Asker, q version.Question) bool {
	if q.To.IsZero() || q.To != q.Current {
		return false
	}
	reasons, err := blockers(ctx, s, &events.AskUpgrade{To: q.To, Client: q.Client})
	if err != nil {
		return false
	}
	for _, r := range reasons {
		if r.Code == events.CodeNothingToDo {
			return false
		}
	}
	return true
}

// blockers asks the state server for every reason that forbids the upgrade.
func blockers(ctx context.Context, s wire.Asker, ask *events.AskUpgrade) ([]events.Reason, error) {
	check, err := wire.UpgradeCheck.Ask(ctx, s, *ask)
	if err != nil {
		return nil, app.Fail(err, "Nothing was changed.", "")
	}
	return check.Reasons, nil
}

// explainChoice says which version was chosen and why, and what the machines will do.
func (u *upgrade) explainChoice(q version.Question, a version.Answer, ask *events.AskUpgrade) {
	machines := 0
	for _, tags := range q.Platforms {
		machines += len(tags)
	}
	u.app.Show("%s -> %s: %s", q.Current, a.Chosen, a.Detail)
	if a.Downgrade {
		u.app.Show("This is a downgrade.")
	}
	if u.back {
		u.app.Show("This is a rollback: machines that run a version newer than %s go back to it.", a.Chosen)
	}
	var largest int64
	for _, t := range ask.Artefacts {
		largest = max(largest, t.Size)
		u.app.Show("  %s  sha256 %s", t.Version, t.SHA256)
	}
	u.app.Show("%d machines will be upgraded, state servers first; each downloads up to %s", machines, app.Bytes(largest))
	if u.app.Verbose || u.app.Debug {
		for _, v := range a.Verdicts {
			if !v.Chosen {
				u.app.Say("  not %s: %s (%s)", v.Version, v.Detail, v.Reason)
			}
		}
	}
}

// nextFor is what to type if no version could be chosen for want of tools.
func nextFor(a version.Answer, q version.Question) string {
	if a.Code == version.CodeNotPublished || a.Code == version.CodeNoTools {
		n := q.To
		if n.IsZero() {
			n = q.Client
		}
		return fmt.Sprintf("juju sync-tools --version %d.%d", n.Major, n.Minor)
	}
	return ""
}
