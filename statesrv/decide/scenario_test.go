package decide

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/audit"
	"github.com/jujube-project/jujube/projections/scenario"
	"github.com/jujube-project/jujube/projections/targets"
)

var update = flag.Bool("update", false, "rewrite the scenario files")

// Each file of testdata tells what is decided, a question a line, and what goes into the log
// for it. alice is an admin, olga operates on every machine and otto on all but
// state servers, bob approves, rita releases, rob reads.
//
//	? alice upgrade 1.25.0       # an operator asks for an action
//	? quorum 2                   # so many operators must agree to an upgrade from here on
//	? plan                       # what follows for the upgrade in progress
//	? pass 0,2                   # time passes; these machines were heard a moment ago
//	? host joins 3 UTOKEN        # a host with a join token asks to be machine 3
//	? host renews 1 0 nonce-a    # a machine asks for new credentials, from that generation on
//	? machine 1 start 1 1.24.0   # machine 1 sends the report that the words behind it stand for
//	? machine 1 again            # machine 1 sends its newest report once more, byte for byte
//
// A report may end in "signed-by 2": then it is signed with the key of that machine.
func TestScenarios(t *testing.T) {
	stories := map[*scenario.Script]*story{}
	scenario.Play(t, "*.txt", *update, func(question string, s *scenario.Script) string {
		if stories[s] == nil {
			stories[s] = &story{desk: &desk{t: t}, script: s, lists: map[string]uint64{}}
		}
		return stories[s].answer(strings.Fields(question))
	})
}

// story is one file.
type story struct {
	*desk
	script *scenario.Script
	asked  int
	quorum int
	sent   map[string][]byte // the newest report of each machine, as it was sent
	lists  map[string]uint64 // the number of each machine's newest list of units
}

func (s *story) answer(words []string) string {
	s.state, s.now = projections.New(), s.script.Now()
	for _, r := range s.script.Records {
		s.state.Fold(r)
	}
	s.state.Trust.Roster = s.roster()
	for id, m := range s.state.Machines {
		m.Key = keyOf(id).Public()
	}
	rest := append(words[1:], make([]string, 4)...)
	switch words[0] {
	case "quorum":
		s.quorum, _ = strconv.Atoi(rest[0])
		return ""
	case "plan":
		return s.tell(Plan(s.at(), Outlook{Committed: s.state.Seq, Warrants: &Warrants{}}))
	case "pass":
		heard := Heard{Since: s.now.Add(-time.Hour), Last: map[string]time.Time{}}
		for id := range strings.SplitSeq(rest[0], ",") {
			heard.Last[id] = s.now
		}
		return s.tell(Pass(s.at(), heard))
	case "host":
		return s.host(rest)
	case "machine":
		return s.reports(words[1], words[2:])
	}
	return s.asks(words[0], words[1], words[2:])
}

func (s *story) roster() events.Roster {
	olga := grants("olga", events.RoleOperate, nil)
	olga.Grants = append(olga.Grants, grants("olga", events.RoleControlPlane, nil).Grants...)
	r := events.Roster{Operators: []events.Operator{
		grants("alice", events.RoleAdmin, nil), olga, grants("otto", events.RoleOperate, nil), grants("bob", events.RoleApprove, nil),
		grants("rita", events.RoleRelease, nil), grants("rob", events.RoleRead, nil),
	}}
	if s.quorum > 0 {
		r.Quorums = []events.Quorum{{Operators: s.quorum}}
	}
	return r
}

// tell records a decision and tells what went into the log, and what is wanted.
func (s *story) tell(d Decision) string {
	var out strings.Builder
	s.recs = nil
	s.decided(d)
	s.script.Record(s.recs...)
	for _, rec := range s.recs {
		s.numbered(rec)
		e := audit.EntryOf(rec)
		fmt.Fprintf(&out, "%s %s: %s\n", strings.TrimSuffix(e.What, "/1"), e.Subject, e.Why)
	}
	for _, w := range d.Wants {
		switch w := w.(type) {
		case FetchTools:
			fmt.Fprintf(&out, "wanted: tools %s\n", w.Tools.Version)
		default:
			fmt.Fprintf(&out, "wanted: %T\n", w)
		}
	}
	if out.Len() == 0 {
		return "nothing\n"
	}
	return out.String()
}

// numbered: each list of units has a greater number than all before it, so that a machine can tell
// which of two is newer (B27).
func (s *story) numbered(rec events.Record) {
	s.t.Helper()
	var list events.UnitsAssigned
	if rec.Kind != list.Kind() {
		return
	}
	if err := json.Unmarshal(rec.Data, &list); err != nil {
		s.t.Fatal(err)
	}
	if list.Number <= s.lists[list.Machine] {
		s.t.Errorf("a list of units of machine %s has the number %d after one with %d", list.Machine, list.Number, s.lists[list.Machine])
	}
	s.lists[list.Machine] = list.Number
}

// asks lets an operator ask, as a client does, and has it judged.
func (s *story) asks(who, action string, words []string) string {
	s.asked++
	id := fmt.Sprintf("r%d", s.asked)
	ask := events.Ask{ID: id, Action: action, Environment: s.state.UUID, Created: s.now, Expires: s.now.Add(time.Minute), Until: s.now.Add(events.MaxRequestLife)}
	if len(words) > 0 && words[len(words)-1] == "too-late" {
		ask.Expires, words = s.now.Add(-time.Second), words[:len(words)-1]
	}
	elsewhere := len(words) > 0 && words[len(words)-1] == "for-other-machines"
	if elsewhere {
		words = words[:len(words)-1]
	}
	if len(words) > 0 {
		fill(&ask, words, s.state)
	}
	complete(s.t, s.state, &ask, elsewhere)
	r := ReadRequest(uint64(s.asked), id, testkey.Of(who).Public(), signAs(s.t, ask, who, events.SignedType(action)))
	know := Known{Signed: anything{}}
	if action == events.ActionTrust {
		know.Publication, know.Unpublishable = bundle(words)
	}
	before := s.state.Digest()
	d, err := Requested(s.at(), r, know)
	if s.state.Digest() != before {
		s.t.Errorf("judging request %s changed the state", id)
	}
	if err != nil {
		return "skipped: " + err.Error() + "\n"
	}
	return s.tell(d)
}

// complete adds what a client signs beside what the operator typed.
func complete(t *testing.T, s *projections.State, ask *events.Ask, elsewhere bool) {
	t.Helper()
	r := targets.Resolve(s, *ask)
	if ask.AddUnit != nil && r.Unit != nil {
		ask.AddUnit.Command, ask.AddUnit.Env, ask.AddUnit.Restart = r.Unit.Command, r.Unit.Env, r.Unit.Restart
	}
	if elsewhere {
		r.Machines = []warrant.Machine{{ID: "99", Key: "UELSEWHERE"}}
	}
	if len(r.Machines) == 0 {
		return
	}
	list, err := warrant.NewList(r.Machines)
	if err == nil {
		ask.Machines, err = list.Signed()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// fill is what the words behind an action mean.
func fill(ask *events.Ask, words []string, s *projections.State) {
	first, rest := words[0], words[1:]
	has := func(word string) bool { return strings.Contains(" "+strings.Join(rest, " ")+" ", " "+word+" ") }
	switch ask.Action {
	case events.ActionUpgrade:
		to := bin(first)
		up := &events.AskUpgrade{To: to.Number, Client: to.Number, Reset: has("reset"), Rollback: has("rollback")}
		if has("old-client") {
			up.Client = version.Number{Major: to.Major - 1}
		}
		if stored := s.Tools[to.String()]; stored != nil {
			up.Artefacts = []tools.Tools{stored.Tools}
		}
		ask.Upgrade = up
	case events.ActionApprove:
		ask.Approve = &events.AskApprove{Request: first}
		if w := s.Pending[first]; w != nil {
			ask.Approve.SHA256 = warrant.Digest(w.Request.Signed)
		}
	case events.ActionRestart:
		ask.Restart = &events.AskRestart{Tags: words}
		if first == "all" {
			ask.Restart.All, ask.Restart.Tags = true, rest
		}
	case events.ActionResolved:
		ask.Resolved = first
	case events.ActionAddMachine:
		ask.AddMachine = &events.AskAddMachine{TokenKeys: strings.Split(first, ","), TTL: 3600}
		if has("for-ever") {
			ask.AddMachine.TTL = 0
		}
	case events.ActionApproveMachine:
		ask.ApproveMachine = first
	case events.ActionRemoveMachine:
		ask.RemoveMachine = first
	case events.ActionDeploy:
		ask.Deploy = &events.AskDeploy{Service: first, Machine: rest[0], Command: rest[1:]}
		if user, ok := strings.CutPrefix(rest[0], "as="); ok { // deploy web as=USER MACHINE COMMAND
			ask.Deploy.User, ask.Deploy.Machine, ask.Deploy.Command = user, rest[1], rest[2:]
		}
	case events.ActionAddUnit:
		ask.AddUnit = &events.AskAddUnit{Service: first, Machine: rest[0]}
	case events.ActionRemoveUnit:
		ask.RemoveUnit = first
	case events.ActionRemoveService:
		ask.RemoveService = first
	case events.ActionSyncTools:
		ask.SyncTools = &events.AskSyncTools{Source: first, Wanted: []version.Binary{bin(rest[0])}, Unsigned: has("unsigned")}
		if has("signed-by") {
			ask.SyncTools.SignedBy = rest[len(rest)-1]
		}
		if has("revoked") {
			ask.SyncTools.Marks = []tools.Marked{{Version: bin(rest[0]).Number, Marks: tools.Marks{Revoked: "eats data"}}}
		}
	case events.ActionSetEnv:
		ask.SetEnv = map[string]string{}
		for _, w := range words {
			key, value, _ := strings.Cut(w, "=")
			ask.SetEnv[key] = value
		}
	case events.ActionUnsetEnv:
		ask.UnsetEnv = words
	case events.ActionTrust:
		ask.Trust = &events.AskTrust{Bundle: events.Object{SHA256: digest, Size: 1}}
	}
}

// bundle is what was made of a staged bundle: a good one, one that was not staged, or one that
// cannot be published.
func bundle(words []string) (*Publication, error) {
	switch strings.Join(words, " ") {
	case "good":
		return &Publication{Fact: events.TrustPublished{
			Bundle: events.Object{SHA256: digest, Size: 1}, Version: events.TrustVersions{Root: 1, Targets: 2, Snapshot: 2, Timestamp: 2},
			Fresh: judged, Expires: judged, Timestamp: []byte("{}"),
			Roster: events.Roster{Operators: []events.Operator{grants("alice", events.RoleAdmin, nil)}, StateServers: []string{testkey.Of("state server").Public()}},
		}}, nil
	case "stale":
		return nil, Follows(tuf.Bundle{Roots: [][]byte{{1}, {2}}}, tuf.Trusted{}, tuf.Bundle{Roots: [][]byte{{1}}})
	case "damaged":
		return nil, errors.New("it is no JSON")
	}
	return nil, nil
}

// host lets a host ask for something.
func (s *story) host(words []string) string {
	var d Decision
	var refused *events.Reason
	switch words[0] {
	case "joins":
		var out Enrolment
		d, out = Enrol(s.at(), wire.EnrolRequest{
			Environment: s.state.UUID, Machine: words[1], TokenKey: words[2], Key: keyOf(words[1]).Public(),
			Hostname: "host" + words[1], Version: "1.24.0-trusty-amd64",
		}, nil)
		refused = out.Refused
	case "renews":
		generation, _ := strconv.ParseUint(words[2], 10, 64)
		var out Renewal
		d, out = Renew(s.at(), wire.RenewRequest{
			Environment: s.state.UUID, Machine: words[1], Key: keyOf(words[1]).Public(), Generation: generation, Nonce: words[3],
		})
		refused = out.Refused
	}
	if refused != nil {
		return "refused: " + refused.Error() + "\n" + s.tell(d)
	}
	return s.tell(d)
}

// reports lets a machine send a report, and tells how it was answered.
func (s *story) reports(from string, words []string) string {
	data := s.sent[from]
	if words[0] != "again" {
		data = s.signed(from, words)
	}
	if s.sent == nil {
		s.sent = map[string][]byte{}
	}
	s.sent[from] = data
	told, err := ReadReport(events.MachineTag(from), data)
	if err == nil {
		err = AuthenticateReport(s.at(), told)
	}
	if err != nil {
		return wire.ReportInvalid + ": " + err.Error() + "\n"
	}
	before := s.state.Digest()
	d, code, err := Report(s.at(), told)
	if s.state.Digest() != before {
		s.t.Errorf("deciding on a report of machine %s changed the state", from)
	}
	switch {
	case err != nil && len(d.Facts) > 0:
		s.t.Errorf("a report that is refused leaves %d facts", len(d.Facts))
	case err != nil:
		return code + ": " + err.Error() + "\n"
	case code != "":
		return code + "\n" + s.tell(d)
	}
	return s.tell(d)
}

// signed is the report that the words stand for, as an agent sends it.
func (s *story) signed(from string, words []string) []byte {
	key := keyOf(from)
	if n := len(words); n > 2 && words[n-2] == "signed-by" {
		key, words = keyOf(words[n-1]), words[:n-2]
	}
	report := s.script.Report(strings.Join(words, " "))
	rec, err := events.New(events.Envelope{ID: "sent", Time: s.now, Actor: events.MachineTag(report.Head().Machine)}, report)
	if err == nil {
		rec, err = rec.Signed(key)
	}
	var data []byte
	if err == nil {
		data, err = events.Marshal(rec)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

// keyOf is the key of a machine.
func keyOf(id string) events.Signer { return testkey.Of(events.MachineTag(id)) }
