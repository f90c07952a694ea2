package upgrade

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/goccy/go-yaml"

	"github.com/jujube-project/jujube/events/version"
)

// path is the answer of `juju upgrade-path`.
type path struct {
	Current    version.Number  `json:"current" yaml:"current"`
	Client     version.Number  `json:"client" yaml:"client"`
	Policy     version.Policy  `json:"policy" yaml:"policy"`
	Outcome    string          `json:"outcome" yaml:"outcome"` // upgrade, no-upgrade or error
	Hops       []pathHop       `json:"hops" yaml:"hops"`
	Candidates []pathCandidate `json:"candidates" yaml:"candidates"` // newest first
	Error      *pathError      `json:"error,omitempty" yaml:"error,omitempty"`

	end string // for a person: why no hop follows the last one
}

type pathHop struct {
	Version version.Number `json:"version" yaml:"version"`
	Reason  string         `json:"reason" yaml:"reason"`
	Detail  string         `json:"detail" yaml:"detail"`
}

type pathCandidate struct {
	Version version.Number `json:"version" yaml:"version"`
	Verdict string         `json:"verdict" yaml:"verdict"` // chosen or rejected
	Reason  string         `json:"reason" yaml:"reason"`
	Detail  string         `json:"detail" yaml:"detail"`
}

type pathError struct {
	Code    string `json:"code" yaml:"code"`
	Message string `json:"message" yaml:"message"`
}

// newPath sums up a chain of choices. An error after the first hop only ends the way. It is an error
// of the whole answer if a version was asked for, because then the hops do not lead there.
func newPath(q version.Question, chain []version.Answer) path {
	p := path{Current: q.Current, Client: q.Client, Policy: q.Policy, Outcome: chain[0].Outcome, Hops: []pathHop{}}
	if p.Policy == "" {
		p.Policy = version.PolicyStep
	}
	for _, a := range chain {
		if a.Outcome == version.OutcomeUpgrade {
			p.Hops = append(p.Hops, pathHop{Version: a.Chosen, Reason: a.Reason, Detail: a.Detail})
		}
	}
	last := chain[len(chain)-1]
	p.end = last.Detail + last.Message
	switch {
	case last.Outcome == version.OutcomeUpgrade: // the last hop is the version that was asked for
		p.end = ""
	case chain[0].Outcome == version.OutcomeError:
		p.Error = &pathError{Code: last.Code, Message: last.Message}
	case !q.To.IsZero() && q.To != q.Current:
		p.Outcome = version.OutcomeError
		p.Error = &pathError{Code: version.CodeUnreachable, Message: fmt.Sprintf("the hops of policy %s do not lead to %s: %s", p.Policy, q.To, p.end)}
	}
	p.judge(chain)
	return p
}

// judge gives each candidate the verdict of the first hop that chooses it or goes past it.
func (p *path) judge(chain []version.Answer) {
	p.Candidates = make([]pathCandidate, 0, len(chain[0].Verdicts))
	for i := range chain[0].Verdicts {
		v := chain[0].Verdicts[i]
		for _, a := range chain {
			if v = a.Verdicts[i]; v.Chosen || (a.Outcome == version.OutcomeUpgrade && a.Chosen.Compare(v.Version) > 0) {
				break
			}
		}
		c := pathCandidate{Version: v.Version, Verdict: "rejected", Reason: v.Reason, Detail: v.Detail}
		if v.Chosen {
			c.Verdict = "chosen"
		}
		p.Candidates = append(p.Candidates, c)
	}
}

func (p path) write(w io.Writer, format string) error {
	switch format {
	case "json":
		return json.NewEncoder(w).Encode(p)
	case "yaml":
		b, err := yaml.Marshal(p)
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	}
	fmt.Fprintf(w, "From %s, with client %s and policy %s:\n\n", p.Current, p.Client, p.Policy)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(p.Hops) > 0 {
		fmt.Fprintln(t, "HOP\tVERSION\tREASON\tWHY")
		for i, h := range p.Hops {
			fmt.Fprintf(t, "%d\t%s\t%s\t%s\n", i+1, h.Version, h.Reason, h.Detail)
		}
	} else {
		fmt.Fprintln(t, "No hop.")
	}
	if p.end != "" {
		fmt.Fprintf(t, "\nThe way ends there: %s.\n", p.end)
	}
	rejected := slices.DeleteFunc(slices.Clone(p.Candidates), func(c pathCandidate) bool { return c.Verdict == "chosen" })
	if len(rejected) > 0 {
		fmt.Fprintln(t, "\nREJECTED\tREASON\tWHY")
		for _, c := range rejected {
			fmt.Fprintf(t, "%s\t%s\t%s\n", c.Version, c.Reason, c.Detail)
		}
	}
	return t.Flush()
}
