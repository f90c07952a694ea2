package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
)

// fact is what a line says.
type fact struct {
	payload events.Payload
	actor   string // empty: the state server
	request string // correlation
	raw     string // kind of a record without a known payload
}

// verbs is every word that opens a line. U is an upgrade, M a machine, V a version, R a
// request of a restart. A machine's order of U has the id U-M.
var verbs = map[string]func(s *Script, a []string) fact{
	// env NAME V · set KEY VALUE · unset KEY · unknown KIND · snapshot SEQ DIGEST
	"env": func(_ *Script, a []string) fact {
		return fact{payload: &events.EnvironmentCreated{
			UUID: "5c1e3f5c-0000-4000-8000-000000000001", Name: a[0], AgentVersion: num(a[1]),
			Operators: []events.Operator{{Name: "alice", Key: "UALICE"}},
		}}
	},
	"set": func(_ *Script, a []string) fact {
		return fact{payload: &events.SettingChanged{Key: a[0], Value: a[1]}}
	},
	"unset": func(_ *Script, a []string) fact {
		return fact{payload: &events.SettingChanged{Key: a[0], Unset: true}}
	},
	"unknown": func(_ *Script, a []string) fact { return fact{raw: a[0]} },
	"snapshot": func(_ *Script, a []string) fact {
		return fact{payload: &events.SnapshotTaken{Seq: uint64(integer(a[0])), Digest: a[1], Schema: projections.Schema}}
	},

	// request R ACTION · refused R CODE TEXT…
	"request": func(_ *Script, a []string) fact {
		return fact{payload: &events.RequestReceived{Request: request(a[0], a[1])}, actor: "operator-alice", request: a[0]}
	},
	"refused": func(_ *Script, a []string) fact {
		return fact{payload: &events.RequestRefused{Request: a[0], Reasons: reason(a[1:])}, request: a[0]}
	},

	// invite M [server] · enrol M V [server] · pending M V WHY · quarantine M WHY · start M V
	// lost M · returned M · remove M
	"invite": func(s *Script, a []string) fact {
		return fact{payload: &events.MachineInvited{
			Machine: a[0], TokenKey: "UTOKEN", Expires: s.now.Add(time.Hour), StateServer: a[1] == "server",
		}, actor: "operator-alice"}
	},
	"enrol": func(_ *Script, a []string) fact {
		return fact{payload: &events.MachineEnrolled{
			Machine: a[0], Key: "UKEY" + a[0], Hostname: "host" + a[0], Version: bin(a[1]), StateServer: a[2] == "server",
		}}
	},
	"pending": func(_ *Script, a []string) fact {
		return fact{payload: &events.MachineEnrolled{
			Machine: a[0], Key: "UKEY" + a[0], Hostname: "host" + a[0], Version: bin(a[1]), Pending: strings.ReplaceAll(a[2], "_", " "),
		}}
	},
	"quarantine": func(_ *Script, a []string) fact {
		return fact{payload: &events.MachineQuarantined{Machine: a[0], Code: events.CodeClone, Text: strings.ReplaceAll(a[1], "_", " ")}}
	},
	"start": func(s *Script, a []string) fact {
		return s.report(a[0], "", &events.AgentStarted{Version: bin(a[1]), PID: 4711, Units: knows(a[2:])})
	},
	"lost": func(_ *Script, a []string) fact { return fact{payload: &events.MachineLost{Machine: a[0]}} },
	"returned": func(_ *Script, a []string) fact {
		return fact{payload: &events.MachineReturned{Machine: a[0]}}
	},
	"remove": func(_ *Script, a []string) fact { return fact{payload: &events.MachineRemoved{Machine: a[0]}} },

	// unit NAME M · unit-state NAME M STATE [INFO] · remove-unit NAME · units M
	"unit": func(_ *Script, a []string) fact {
		return fact{payload: &events.UnitAdded{UnitSpec: events.UnitSpec{
			Unit: a[0], Machine: a[1], Command: []string{"serve"}, Restart: events.RestartAlways,
		}}}
	},
	"unit-state": func(s *Script, a []string) fact {
		return s.report(a[1], "", &events.UnitStateChanged{
			Unit: a[0], State: a[2], Info: strings.ReplaceAll(a[3], "_", " "), Version: num("1.24.0"),
		})
	},
	"remove-unit": func(_ *Script, a []string) fact { return fact{payload: &events.UnitRemoved{Unit: a[0]}} },
	"units":       func(_ *Script, a []string) fact { return fact{payload: &events.UnitsAssigned{Machine: a[0]}} },

	// tools V · missed V REASON · revoke V REASON · source-lost SOURCE REASON · source-back SOURCE
	"missed": func(_ *Script, a []string) fact {
		return fact{payload: &events.ToolsMissed{Tools: archive(a[0]), Reason: strings.ReplaceAll(a[1], "_", " ")}}
	},
	"revoke": func(_ *Script, a []string) fact {
		return fact{payload: &events.ToolsMarked{Version: num(a[0]), Marks: tools.Marks{Revoked: a[1]}, Source: "/srv/tools"}}
	},
	"source-lost": func(_ *Script, a []string) fact {
		return fact{payload: &events.SourceLost{Source: a[0], Reason: strings.ReplaceAll(a[1], "_", " ")}}
	},
	"source-back": func(_ *Script, a []string) fact { return fact{payload: &events.SourceReturned{Source: a[0]}} },
	"tools": func(_ *Script, a []string) fact {
		return fact{payload: &events.ToolsStored{Tools: archive(a[0]), Source: "/srv/tools"}}
	},

	// ask U V · accept U FROM TO M,M · refuse U CODE TEXT… · halt U CODE TEXT… · abort U · complete U V
	"ask": func(_ *Script, a []string) fact {
		return fact{payload: &events.UpgradeRequested{
			Request: request(a[0], events.ActionUpgrade), Upgrade: a[0], To: num(a[1]), Artefacts: []tools.Tools{archive(a[1])},
		}, actor: "operator-alice", request: a[0]}
	},
	"accept": func(_ *Script, a []string) fact {
		return fact{payload: &events.UpgradeAccepted{
			Upgrade: a[0], From: num(a[1]), To: num(a[2]), Machines: list(a[3]),
		}, request: a[0]}
	},
	"refuse": func(_ *Script, a []string) fact {
		return fact{payload: &events.UpgradeRefused{Upgrade: a[0], Reasons: reason(a[1:])}, request: a[0]}
	},
	"halt": func(_ *Script, a []string) fact {
		return fact{payload: &events.UpgradeHalted{Upgrade: a[0], Reasons: reason(a[1:])}, request: a[0]}
	},
	"abort": func(_ *Script, a []string) fact {
		return fact{payload: &events.UpgradeAborted{Upgrade: a[0], Request: a[0]}, request: a[0]}
	},
	"complete": func(_ *Script, a []string) fact {
		return fact{payload: &events.UpgradeCompleted{Upgrade: a[0], Version: num(a[1])}, request: a[0]}
	},

	// order M U FROM TO · supersede M U · timeout M U
	"order": func(s *Script, a []string) fact {
		return fact{payload: &events.OrderIssued{
			Order: a[1] + "-" + a[0], Upgrade: a[1], Machine: a[0], From: num(a[2]),
			Tools: archive(a[3]), Expires: s.now.Add(time.Hour), Health: 10_000,
		}, request: a[1]}
	},
	"supersede": func(_ *Script, a []string) fact {
		return fact{payload: &events.OrderSuperseded{Order: a[1] + "-" + a[0], Machine: a[0], Reason: "the upgrade was aborted"}, request: a[1]}
	},
	"timeout": func(_ *Script, a []string) fact {
		return fact{payload: &events.OrderTimedOut{Order: a[1] + "-" + a[0], Machine: a[0]}, request: a[1]}
	},

	// downloading M U PERCENT · staged M U · restarting M U FROM TO · upgraded M U V
	// failed M U CODE · rolled-back M U V CODE · taken-back M U V CODE · late M U
	"downloading": func(s *Script, a []string) fact {
		return s.report(a[0], a[1], &events.AgentDownloading{Percent: integer(a[2])})
	},
	"staged": func(s *Script, a []string) fact { return s.report(a[0], a[1], &events.AgentStaged{}) },
	"restarting": func(s *Script, a []string) fact {
		return s.report(a[0], a[1], &events.AgentRestarting{From: num(a[2]), To: num(a[3])})
	},
	"upgraded": func(s *Script, a []string) fact {
		return s.report(a[0], a[1], &events.AgentUpgraded{Version: bin(a[2])})
	},
	"failed": func(s *Script, a []string) fact {
		return s.report(a[0], a[1], &events.AgentUpgradeFailed{Failure: failure("verify", a[2])})
	},
	"rolled-back": func(s *Script, a []string) fact {
		return s.report(a[0], a[1], &events.AgentRolledBack{Version: bin(a[2]), Failure: failure("trial", a[3])})
	},
	"taken-back": func(s *Script, a []string) fact {
		return s.report(a[0], a[1], &events.AgentRolledBack{Version: bin(a[2]), Failure: failure(events.StepAfterCommit, a[3])})
	},
	"late": func(s *Script, a []string) fact {
		return s.report(a[0], a[1], &events.ReportLate{Report: "agent.upgraded/1", Data: []byte("{}")})
	},

	// restart-ask R M,M · restart M R · restarted M R
	"restart-ask": func(_ *Script, a []string) fact {
		return fact{payload: &events.RestartRequested{
			Request: request(a[0], events.ActionRestart), Machines: list(a[1]),
		}, actor: "operator-alice", request: a[0]}
	},
	"restart": func(_ *Script, a []string) fact {
		return fact{payload: &events.RestartOrdered{Order: a[1] + "-" + a[0], Machine: a[0]}, request: a[1]}
	},
	"restarted": func(s *Script, a []string) fact {
		return s.report(a[0], a[1], &events.RestartDone{PID: 4712})
	},
}

// report gives a report its number, as an agent's outbox does, and the id of its order.
func (s *Script) report(machine, request string, p events.Report) fact {
	s.reports[machine]++
	p.SetHead(events.ReportHead{Machine: machine, Epoch: "e1", N: s.reports[machine]})
	order := request + "-" + machine
	switch p := p.(type) {
	case *events.AgentDownloading:
		p.Order = order
	case *events.AgentStaged:
		p.Order = order
	case *events.AgentRestarting:
		p.Order = order
	case *events.AgentUpgraded:
		p.Order = order
	case *events.AgentUpgradeFailed:
		p.Order = order
	case *events.AgentRolledBack:
		p.Order = order
	case *events.RestartDone:
		p.Order = order
	case *events.ReportLate:
		p.Order = order
	}
	return fact{payload: p, actor: events.MachineTag(machine), request: request}
}

func request(id, action string) events.Request {
	return events.Request{
		ID: id, Action: action, Operator: "alice", Signed: []byte("{}"),
		Created: time.Date(2015, 6, 1, 12, 0, 0, 0, time.UTC),
	}
}

func reason(words []string) []events.Reason {
	return []events.Reason{{Code: words[0], Text: strings.TrimSpace(strings.Join(words[1:], " "))}}
}

func failure(step, code string) events.Failure {
	return events.Failure{Step: step, Cause: events.CauseVersion, Code: code, Text: "it went wrong"}
}

func archive(v string) tools.Tools {
	return tools.Tools{Version: bin(v), Size: 1000, SHA256: fmt.Sprintf("%064x", len(v))}
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func num(s string) version.Number {
	n, err := version.Parse(s)
	if err != nil {
		panic(err)
	}
	return n
}

// bin reads a binary version, or a version for trusty-amd64.
func bin(s string) version.Binary {
	if b, err := version.ParseBinary(s); err == nil {
		return b
	}
	return version.Binary{Number: num(s), Series: "trusty", Arch: "amd64"}
}

func integer(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// knows is what an agent says that it knows of units: "users", or nothing.
func knows(words []string) int {
	if slices.Contains(words, "users") {
		return events.UnitsWithUsers
	}
	return 0
}
