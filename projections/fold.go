package projections

import (
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
)

// maxSkippedKinds limits how many different kinds Skipped and Disbelieved name; those beyond are
// counted together under SkippedOther.
const maxSkippedKinds = 256

// Names in State.Skipped and State.Disbelieved that are not kinds.
const (
	SkippedInvalid = "invalid" // bytes in the log that are no record at all
	SkippedOther   = "other"   // kinds beyond the first 256 different ones
)

// New gives the state of an empty log.
func New() *State {
	return &State{
		Settings: map[string]string{},
		Machines: map[string]*Machine{},
		Hosts:    map[string]string{},
		Revoked:  map[string]time.Time{}, Dismissed: map[string]time.Time{},
		Units:    map[string]*Unit{},
		Tools:    map[string]*StoredTools{},
		Marks:    tools.SaidBy{},
		Lost:     map[string]*LostSource{},
		Pending:  map[string]*Pending{},
		Orders:   map[string]*Order{},
		Requests: map[string]Outcome{},
		NextUnit: map[string]int{},
		Skipped:  map[string]uint64{}, Disbelieved: map[string]uint64{},
	}
}

// Fold applies the next record of the log. It never fails:
//
//   - a record of a kind that this build does not know, or whose payload breaks the rules of its kind, is
//     counted in Skipped and changes nothing but Seq and Time;
//   - a record whose cause does not hold (see causes) is counted in Disbelieved and changes nothing but Seq
//     and Time; why says what is wrong with it, and is nil for every other record;
//   - a record about something that does not exist changes nothing but Seq and Time;
//   - a record at or below Seq was folded before and is ignored;
//   - a record with Seq 0, which was decided and is not appended yet, is folded as the next one.
func (s *State) Fold(r events.Record) (why *events.Reason) { return s.fold(r, false) }

// Decided is Fold for a record that this process has decided itself: it has signed the record, or has checked
// who signed it. Those signatures are not checked a second time, everything else is.
func (s *State) Decided(r events.Record) (why *events.Reason) { return s.fold(r, true) }

func (s *State) fold(r events.Record, own bool) (why *events.Reason) {
	switch {
	case r.Seq == 0:
		r.Seq = s.Seq + 1
	case r.Seq <= s.Seq:
		return nil
	}
	s.Seq = r.Seq
	if r.Time = moment(r.Time); !r.Time.IsZero() {
		s.Time = r.Time
	}
	if s.Asking != nil && s.Asking.Record != r.Causation {
		s.Asking = nil
	}
	ok, why := s.applied(r, own)
	if r.Kind != (*events.TrustSigned)(nil).Kind() {
		s.Parts = nil
	}
	switch {
	case why != nil:
		count(s.Disbelieved, r.Kind)
	case !ok:
		count(s.Skipped, r.Kind)
	}
	return why
}

// applied decodes, checks and applies a record. ok is false for one that this build cannot fold, or
// whose fold panics: the record is counted in Skipped and the fold goes on. That happens on
// every machine at the same record, so the state stays the same everywhere.
func (s *State) applied(r events.Record, own bool) (ok bool, why *events.Reason) {
	defer func() {
		if recover() != nil {
			ok, why = false, nil
		}
	}()
	var payload events.Payload
	if !withoutEffect[r.Kind] {
		var err error
		if payload, err = events.Decode(r); err != nil {
			return false, nil
		}
	}
	if why := s.believe(r, payload, own); why != nil {
		return true, why
	}
	if n, ok := requestsPosition(r.Causation); ok && n > s.RequestsSeq {
		s.RequestsSeq = n
	}
	if payload == nil {
		return true, nil
	}
	created, opens := payload.(*events.EnvironmentCreated)
	if s.Root != "" || opens && created.Root != "" {
		s.follows(r, payload)
	}
	return s.apply(r, payload), nil
}

// moment gives a time in the form that JSON keeps: in UTC, without a monotonic part. A State that is read
// from a snapshot is then equal to one that was folded. A time that JSON cannot express, because its
// year in UTC has five digits, becomes the zero time.
func moment(t time.Time) time.Time {
	t = t.UTC().Round(0)
	if t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// withoutEffect are kinds whose payload says nothing that a State keeps. Their payload is not decoded.
var withoutEffect = map[string]bool{
	(*events.SnapshotTaken)(nil).Kind(): true,
	(*events.UnitsAssigned)(nil).Kind(): true,
	(*events.TokenGuessed)(nil).Kind():  true,
}

// apply is the table from fact to change. It returns false for a kind that is missing in this table, so
// that such a record is counted in Skipped.
func (s *State) apply(r events.Record, payload events.Payload) bool {
	switch p := payload.(type) {
	case *events.EnvironmentCreated:
		return s.foldCreated(p)
	case *events.TrustSigned:
		s.foldPart(p)
	case *events.SettingChanged:
		s.foldSetting(p)
	case *events.TrustPublished:
		s.foldTrust(r, p)

	case *events.RequestReceived:
		s.foldRequest(r, p.Request)
	case *events.RestartRequested:
		s.foldRequest(r, p.Request)
	case *events.ToolsSyncRequested:
		s.foldRequest(r, p.Request)
		s.announce(p)
	case *events.UpgradeRequested:
		s.foldRequest(r, p.Request)
		s.foldUpgradeRequested(r.Seq, p)
	case *events.RequestRefused:
		s.foldRefused(r, p.Request, p.Reasons)
		delete(s.Pending, p.Request)
	case *events.UpgradeRefused:
		s.foldRefused(r, p.Upgrade, p.Reasons)
		s.forgetAsked(p.Upgrade)
		s.agreed(p.Upgrade)

	case *events.MachineInvited:
		s.foldInvited(r.Time, p)
	case *events.MachineEnrolled:
		s.foldEnrolled(r.Time, p)
	case *events.MachineApproved:
		s.foldApproved(r.Time, p)
	case *events.MachineRemoved:
		s.foldRemoved(s.Time, p.Machine)
	case *events.MachineQuarantined:
		s.foldQuarantined(s.Time, p)
	case *events.MachineRenewed:
		s.foldRenewed(s.Time, p)
	case *events.MachineLost:
		s.foldPresence(r.Time, p.Machine, true)
	case *events.MachineResolved:
		s.foldResolved(p)
	case *events.MachineReturned:
		s.foldPresence(r.Time, p.Machine, false)

	case *events.UnitAdded:
		s.foldUnitAdded(r.Time, p)
	case *events.UnitRemoved:
		delete(s.Units, p.Unit)
	case *events.ToolsStored:
		s.Tools[p.Tools.Version.String()] = &StoredTools{Tools: p.Tools, Source: p.Source, SignedBy: p.SignedBy, Unsigned: p.Unsigned, Time: r.Time}
		s.Upgrade.found(p.Tools.Version.String())
	case *events.ToolsMissed:
		s.Upgrade.missed(p.Tools.Version.String(), p.Reason)
	case *events.ToolsMarked:
		s.foldMarked(p)
	case *events.SourceLost:
		s.Lost[p.Source] = &LostSource{Reason: p.Reason, Since: r.Time}
	case *events.SourceReturned:
		delete(s.Lost, p.Source)

	case *events.UpgradePending:
		s.foldUpgradePending(p)
	case *events.UpgradeApproved:
		s.foldAgreed(r, p.Request, p.Upgrade, s.missing(p.Upgrade)-1)
	case *events.RequestPending:
		s.foldRequestPending(r, p)
	case *events.RequestApproved:
		s.foldAgreed(r, p.Request, p.Approved, p.Missing)
	case *events.UpgradeAccepted:
		s.foldAccepted(r.Time, p)
	case *events.UpgradeHalted:
		s.foldHalted(p)
	case *events.UpgradeAborted:
		s.endUpgrade(r.Time, p.Upgrade, UpgradeAborted)
		s.agreed(p.Upgrade)
	case *events.UpgradeCompleted:
		s.foldCompleted(r.Time, p)

	case *events.OrderIssued:
		s.foldOrderIssued(r.Time, p)
	case *events.RestartOrdered:
		s.foldRestartOrdered(r, p)
	case *events.OrderSuperseded:
		s.withdraw(p.Machine, p.Order, "")
	case *events.OrderTimedOut:
		s.foldTimedOut(r.Time, p)

	case events.Report:
		s.foldReport(r.Time, p)
	default:
		return false
	}
	return true
}

func count(by map[string]uint64, kind string) {
	if kind == "" {
		kind = SkippedInvalid
	}
	if _, known := by[kind]; !known && len(by) >= maxSkippedKinds {
		kind = SkippedOther
	}
	by[kind]++
}

// SkippedCount is how many records of the log this build could not fold.
func (s *State) SkippedCount() uint64 { return sum(s.Skipped) }

// DisbelievedCount is how many records of the log had no cause that holds.
func (s *State) DisbelievedCount() uint64 { return sum(s.Disbelieved) }

func sum(by map[string]uint64) (n uint64) {
	for _, c := range by {
		n += c
	}
	return n
}
