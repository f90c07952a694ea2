package agent_test

import (
	"strings"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
)

// verbs are the words of the scenario files. A verb that returns nil only sets the scene.
//
//	runs VERSION [reached=V] [begun=V]   machine 3 runs that version, and has no order
//	start [VERSION] [reached=V] [begun=V]  a new process, of that version, reads the disk
//	order ID SEQ FROM TO [...]           the newest record on its subject is an upgrade
//	withdrawn SEQ [ID]                   … says that there is nothing to do
//	resolved SEQ                         … lets it try again what failed
//	restart ID SEQ [request=R]           … is a restart
//	judged ID download|test|switch [failed=CAUSE/CODE]  the order was judged again, before that
//	downloaded|staged|tested|switched ID [failed=CAUSE/CODE]
//	stepped ID [closes=STEP]             the upgrade steps are done, or STEP cannot be undone
//	undone ID TO [failed=CAUSE/CODE]     the steps above TO are undone
//	proved ID                            the process was healthy for the whole window
//	kept                                 the launcher keeps the version on trial, and says so:
//	keeps, hears-kept                    … it writes the journal; the agent hears that it did
//	taken-back CAUSE/CODE                the launcher goes back; the next line is a start
//
// An order can be for=MACHINE, of another digest=LETTER or arch=ARCH, late (it has expired),
// resolved, of another request=R, and unlawful=CODE: what the check of its signatures says.
var verbs = map[string]func(*machine, *arguments) agent.Input{
	"runs": func(m *machine, a *arguments) agent.Input {
		runs := bin(a.next())
		m.disk = install.Journal{Good: runs.String()}
		m.begin(runs, bin(a.get("reached", runs.Number.String())), bin(a.get("begun", "0.0.0")))
		return nil
	},
	"start": func(m *machine, a *arguments) agent.Input {
		runs, reached, begun := m.state.Running, m.state.Reached, m.state.Begun
		if len(a.words) > 0 {
			runs = bin(a.next())
		}
		m.begin(runs, bin(a.get("reached", reached.String())), bin(a.get("begun", begun.String())))
		return agent.Started{}
	},
	"order": func(_ *machine, a *arguments) agent.Input {
		in := agent.Ordered{Now: scenarioTime, Until: scenarioTime.Add(48 * time.Hour)}
		in.Order = events.OrderIssued{Order: a.next(), Expires: scenarioTime.Add(time.Hour), Health: 10_000}
		in.Seq = a.seq()
		in.Order.From = bin(a.next()).Number
		in.Order.Tools = tools.Tools{Version: bin(a.next()), Size: 10, SHA256: strings.Repeat(a.get("digest", "a"), 64)}
		in.Order.Tools.Version.Arch = a.get("arch", "amd64")
		in.Order.Machine, in.Order.Upgrade = a.get("for", "3"), a.get("request", "up-"+in.Order.Order)
		in.Unlawful = a.failure("unlawful", "check")
		for len(a.words) > 0 {
			switch word := a.next(); word {
			case "late":
				in.Now = in.Order.Expires.Add(time.Second)
			case "resolved":
				in.Order.Resolved = true
			default:
				panic(a.line + ": " + word + " is no word of an order")
			}
		}
		return in
	},
	"withdrawn": func(_ *machine, a *arguments) agent.Input {
		in := agent.Withdrawn{Seq: a.seq()}
		if len(a.words) > 0 {
			in.Order = a.next()
		}
		return in
	},
	"resolved": func(_ *machine, a *arguments) agent.Input {
		return agent.Resolved{Seq: a.seq(), Unlawful: a.failure("unlawful", "check")}
	},
	"restart": func(_ *machine, a *arguments) agent.Input {
		in := agent.RestartOrdered{Order: a.next(), Seq: a.seq(), Until: scenarioTime.Add(48 * time.Hour)}
		in.Request, in.Unlawful = a.get("request", "ask-"+in.Order), a.failure("unlawful", "check")
		return in
	},
	"judged": func(_ *machine, a *arguments) agent.Input {
		return agent.Judged{Order: a.next(), Before: a.next(), Failure: a.failure("failed", "check")}
	},
	"downloaded": func(_ *machine, a *arguments) agent.Input {
		return agent.Downloaded{Order: a.next(), Failure: a.failure("failed", "download")}
	},
	"staged": func(_ *machine, a *arguments) agent.Input {
		return agent.Staged{Order: a.next(), Failure: a.failure("failed", "stage")}
	},
	"tested": func(_ *machine, a *arguments) agent.Input {
		return agent.Tested{Order: a.next(), Failure: a.failure("failed", "self-test")}
	},
	"switched": func(_ *machine, a *arguments) agent.Input {
		return agent.Switched{Order: a.next(), Failure: a.failure("failed", "switch")}
	},
	"stepped": func(m *machine, a *arguments) agent.Input {
		in := agent.Stepped{Closes: a.get("closes", "")}
		if len(a.words) > 0 {
			in.Order = a.next()
		}
		if in.Closes != "" {
			in.Release = m.state.Running.Number
		}
		return in
	},
	"undone": func(_ *machine, a *arguments) agent.Input {
		return agent.Undone{Order: a.next(), To: bin(a.next()).Number, Failure: a.failure("failed", "steps")}
	},
	"proved": func(_ *machine, a *arguments) agent.Input { return agent.Proved{Order: a.next()} },
	"kept": func(m *machine, _ *arguments) agent.Input {
		m.judged(nil)
		return agent.Committed{Journal: m.kept}
	},
	"keeps": func(m *machine, _ *arguments) agent.Input {
		m.judged(nil)
		return nil
	},
	"hears-kept": func(m *machine, _ *arguments) agent.Input { return agent.Committed{Journal: m.kept} },
	"taken-back": func(m *machine, a *arguments) agent.Input {
		a.named["why"] = a.next()
		m.judged(a.failure("why", "trial"))
		return nil
	},
}
