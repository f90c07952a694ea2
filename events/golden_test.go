package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

var update = flag.Bool("update", false, "write golden files of new kinds (existing ones are the contract: never change them)")

// samples holds one full fact of every kind.
var samples = func() []events.Payload {
	at := time.Date(2015, 6, 1, 12, 0, 0, 123456789, time.UTC)
	number := version.Number{Major: 1, Minor: 25, Patch: 1}
	old := version.Number{Major: 1, Minor: 24, Patch: 0}
	binary := version.Binary{Number: number, Series: "trusty", Arch: "amd64"}
	archive := tools.Tools{Version: binary, Size: 1 << 20, SHA256: strings.Repeat("ab", 32)}
	request := events.Request{
		ID: "01890a5d-ac96-774b-bcce-b302099a8057", Action: events.ActionUpgrade, Operator: "alice",
		Created: at, Signed: []byte(`{"statement":"e30="}`),
	}
	reasons := []events.Reason{{Code: "agent-mismatch", Text: "machine-1 runs 1.23.0", About: []string{"machine-1"}}}
	unit := events.UnitSpec{
		Unit: "web/0", Machine: "3", Command: []string{"serve", "-port", "80"},
		Env: map[string]string{"LANG": "C"}, Restart: events.RestartOnFailure,
	}
	failure := events.Failure{
		Step: "trial", Cause: events.CauseVersion, Code: "trial-exited", Text: "it ended with status 3", Output: "panic: oh",
	}
	list := []events.Payload{
		&events.EnvironmentCreated{
			UUID: "5c1e3f5c-0000-4000-8000-000000000001", Name: "demo", AgentVersion: old,
			Operators: []events.Operator{{Name: "alice", Key: "UALICE"}},
		},
		&events.SettingChanged{Key: "upgrade-max-in-flight", Value: "5"},
		&events.SnapshotTaken{Seq: 1000, Digest: strings.Repeat("cd", 32), Schema: 1},
		&events.RequestReceived{Request: request},
		&events.RequestRefused{Request: request.ID, Reasons: reasons},
		&events.RequestPending{Request: request, Needed: 2, Until: at},
		&events.RequestApproved{Request: request, Approved: request.ID, Missing: 1},
		&events.TrustPublished{
			Bundle: events.Object{SHA256: archive.SHA256, Size: 9000}, Version: events.TrustVersions{Root: 1, Targets: 2, Snapshot: 3, Timestamp: 4},
			Fresh: at, Expires: at.Add(time.Hour), Timestamp: []byte(`{"signed":{}}`), Floor: &old,
			Roster: events.Roster{
				Operators:    []events.Operator{{Name: "alice", Key: "UALICE", Grants: []events.Grant{{Role: events.RoleAdmin}}}},
				StateServers: []string{"USERVER"},
			},
			Revoked: &events.Revoked{Keys: []string{"UMALLORY"}, Artefacts: []string{archive.SHA256}, Requests: []string{request.ID}},
		},
		&events.TrustSigned{Part: 0, Parts: 1, Data: []byte(`{"roots":null}`)},
		&events.MachineInvited{Machine: "3", TokenKey: "UTOKEN", Expires: at, StateServer: true},
		&events.MachineEnrolled{Machine: "3", Key: "UKEY", Hostname: "host3", Version: binary, StateServer: true},
		&events.MachineApproved{Machine: "3"},
		&events.MachineQuarantined{Machine: "3", Code: events.CodeClone, Text: "two"},
		&events.MachineRenewed{Machine: "3", Generation: 4, Nonce: "n1"},
		&events.TokenGuessed{Machine: "3", Tries: 5, Until: at},
		&events.MachineRemoved{Machine: "3"},
		&events.MachineLost{Machine: "3", LastHeard: at},
		&events.MachineReturned{Machine: "3"},
		&events.MachineResolved{Machine: "3"},
		&events.UnitAdded{UnitSpec: unit},
		&events.UnitRemoved{Unit: "web/0"},
		&events.UnitStateChanged{Unit: "web/0", State: events.UnitError, Info: "exit status 1", PID: 17, Version: number},
		&events.UnitsAssigned{Machine: "3", Units: []events.UnitSpec{unit}},
		&events.ToolsSyncRequested{Request: request, Source: "/srv/tools", Wanted: []version.Binary{binary}},
		&events.ToolsStored{Tools: archive, Source: "/srv/tools"},
		&events.ToolsMarked{Version: number, Marks: tools.Marks{Revoked: "eats data", Floor: true, DeadEnd: true}, Source: "/srv/tools", SignedBy: "USIGNER"},
		&events.ToolsMissed{Tools: archive, Reason: "it answers 404 Not Found"},
		&events.SourceLost{Source: "https://tools.example.com", Reason: "no such host"},
		&events.SourceReturned{Source: "https://tools.example.com"},
		&events.UpgradeRequested{Request: request, Upgrade: request.ID, To: number, Artefacts: []tools.Tools{archive}, Reset: true},
		&events.UpgradeAccepted{Upgrade: request.ID, From: old, To: number, Machines: []string{"0", "3"}},
		&events.UpgradePending{Upgrade: request.ID, Needed: 2, SHA256: strings.Repeat("ab", 32)},
		&events.UpgradeApproved{Request: request, Upgrade: request.ID},
		&events.UpgradeRefused{Upgrade: request.ID, Reasons: reasons},
		&events.UpgradeHalted{Upgrade: request.ID, Reasons: reasons},
		&events.UpgradeAborted{Upgrade: request.ID, Request: "r2"},
		&events.UpgradeCompleted{Upgrade: request.ID, Version: number},
		&events.OrderIssued{
			Order: "o1", Upgrade: request.ID, Machine: "3", From: old, Tools: archive,
			Expires: at, Health: 10_000, Warrant: events.Warrant{Request: request.Signed},
		},
		&events.OrderRefused{Record: "units.assigned/1", Order: "o1", Unit: "web/0", Code: "req-operator", Text: "the key UX is no operator's"},
		&events.OrderSuperseded{Order: "o1", Machine: "3", Reason: "the upgrade was aborted"},
		&events.OrderTimedOut{Order: "o1", Machine: "3"},
		&events.AgentStarted{Version: binary, SHA256: strings.Repeat("ab", 32), PID: 17, Restart: 2},
		&events.AgentDownloading{Percent: 40},
		&events.AgentStaged{},
		&events.AgentRestarting{From: old, To: number},
		&events.AgentStepping{Order: "o1", Release: number, Step: "move the logs", NoReturn: true, Error: "no space"},
		&events.TrustRefused{Bundle: archive.SHA256, Code: "tuf-rollback", Text: "timestamp version 3 after 4"},
		&events.TrustStale{Timestamp: 4, Ends: at},
		&events.AgentUpgraded{Version: binary},
		&events.AgentUpgradeFailed{Failure: failure},
		&events.AgentRolledBack{Version: binary, Failure: failure},
		&events.RestartRequested{Request: request, Machines: []string{"0", "3"}},
		&events.RestartOrdered{Order: "o2", Machine: "3"},
		&events.RestartDone{PID: 18},
		&events.ReportLate{Report: "agent.upgraded/1", Data: []byte(`{"n":7}`)},
	}
	for _, p := range list {
		if r, ok := p.(events.Report); ok {
			r.SetHead(events.ReportHead{Machine: "3", Epoch: "e1", N: 7})
		}
	}
	setOrders(list)
	return list
}()

func setOrders(list []events.Payload) {
	for _, p := range list {
		switch p := p.(type) {
		case *events.AgentDownloading:
			p.Order = "o1"
		case *events.AgentStaged:
			p.Order = "o1"
		case *events.AgentRestarting:
			p.Order = "o1"
		case *events.AgentUpgraded:
			p.Order = "o1"
		case *events.AgentUpgradeFailed:
			p.Order = "o1"
		case *events.AgentRolledBack:
			p.Order = "o1"
		case *events.RestartDone:
			p.Order = "o2"
		case *events.ReportLate:
			p.Order = "o1"
		}
	}
}

func envelope() events.Envelope {
	return events.Envelope{
		ID: "01890a5d-ac96-774b-bcce-b302099a8058", Time: time.Date(2015, 6, 1, 12, 0, 0, 123456789, time.UTC),
		Actor: "machine-3", Causation: "requests:17", Correlation: "01890a5d-ac96-774b-bcce-b302099a8057",
	}
}

func goldenFile(kind string) string {
	return filepath.Join("testdata", "golden", strings.ReplaceAll(kind, "/", "_")+".json")
}

// A golden file is the wire form of a fact in logs that exist. Every later build must read it, and write the
// same bytes again.
func TestGoldens(t *testing.T) {
	for _, p := range samples {
		t.Run(p.Kind(), func(t *testing.T) {
			rec, err := events.New(envelope(), p)
			if err != nil {
				t.Fatal(err)
			}
			got, err := events.Marshal(rec)
			if err != nil {
				t.Fatal(err)
			}
			file := goldenFile(p.Kind())
			want, err := os.ReadFile(file)
			if errors.Is(err, os.ErrNotExist) && *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				want = got
			} else if err != nil {
				t.Fatalf("%v; write it with go test ./events -update", err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("is written as\n%s\nand lies in logs as\n%s", got, want)
			}
			back, err := events.Unmarshal(want)
			if err != nil {
				t.Fatal(err)
			}
			payload, err := events.Decode(back)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(p, payload, cmp.AllowUnexported(
				events.AgentDownloading{}, events.AgentStaged{}, events.AgentRestarting{}, events.AgentUpgraded{},
				events.AgentUpgradeFailed{}, events.AgentRolledBack{}, events.RestartDone{},
			)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestEveryKindHasAGolden(t *testing.T) {
	kinds := declaredKinds(t)
	sampled := map[string]bool{}
	for _, p := range samples {
		sampled[p.Kind()] = true
	}
	for _, k := range kinds {
		if !sampled[k] {
			t.Errorf("%s has no sample in this file", k)
		}
		if _, err := os.Stat(goldenFile(k)); err != nil {
			t.Errorf("%s has no golden file: go test ./events -update", k)
		}
	}
	files, _ := filepath.Glob(filepath.Join("testdata", "golden", "*.json"))
	if len(files) < len(kinds) {
		t.Errorf("%d golden files for %d kinds", len(files), len(kinds))
	}
	for _, f := range files { // also the files of old kinds, which only upcasters know
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := events.Unmarshal(b)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if _, err := events.Decode(rec); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// declaredKinds reads the table in kinds.go.
func declaredKinds(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "kinds.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	ast.Inspect(f, func(n ast.Node) bool {
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			name, _ := strconv.Unquote(kv.Key.(*ast.BasicLit).Value)
			kinds = append(kinds, name)
		}
		return true
	})
	if len(kinds) == 0 {
		t.Fatal("found no kinds")
	}
	return kinds
}

// Every field in the JSON of a fact has a name of its own, in lower case with underscores.
func TestFieldNames(t *testing.T) {
	for _, p := range samples {
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(b, &fields); err != nil {
			t.Fatal(err)
		}
		for name := range fields {
			if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
				t.Errorf("%s has a field %q", p.Kind(), name)
			}
		}
	}
}
