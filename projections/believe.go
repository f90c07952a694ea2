package projections

import (
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
)

// A cause checks a record before it is applied. It returns nil for one whose cause holds.
type cause func(c claim) *events.Reason

// claim is one record that wants to be believed, and the state that judges it.
type claim struct {
	*State
	rec     events.Record
	payload events.Payload // nil for a kind that is never decoded
	own     bool           // this process decided the record and checked the signatures that it rests on
}

// Asking is the request behind whose record the fold stands. What was decided on it follows at once, each
// record naming that one as its cause; the first record that does not ends it. An Asking is never changed
// but replaced, so that copies of a State can share it.
type Asking struct {
	Record string `json:"record"`           // id of the record that holds the request
	Signed []byte `json:"signed,omitempty"` // the request; it was verified. Behind an approval it is the request that was agreed to
	Facts  int    `json:"facts,omitempty"`  // how many records that it led to were believed

	Approvals [][]byte `json:"approvals,omitempty"` // of that request

	ask events.Ask // what Signed says
	key string     // who signed it

	Opened *events.EnvironmentCreated `json:"opened,omitempty"` // instead of a request: the record that opened the log
	Key    string                     `json:"key,omitempty"`    // who signed that record
}

// Pin says which root the reader knows beforehand, by its sha256. The fold believes no other one. Without a
// pin it believes the root that the log names.
func (s *State) Pin(root string) { s.pin = root }

// Reader checks what operators signed, by what was published.
func (s *State) Reader(now time.Time) warrant.Reader {
	return warrant.Reader{Environment: s.UUID, Trust: believed{s}, Now: now}
}

// believed is the published metadata as the state has it. It accepts every archive: which archives are signed
// is checked by whoever judges an upgrade, and again by each machine.
type believed struct{ state *State }

func (b believed) Roster() events.Roster { return b.state.Trust.Roster }

func (b believed) Floor() version.Number {
	if b.state.Trust.Floor == nil {
		return version.Number{}
	}
	return *b.state.Trust.Floor
}

func (b believed) Revoked() events.Revoked {
	if b.state.Trust.Revoked == nil {
		return events.Revoked{}
	}
	return *b.state.Trust.Revoked
}

func (b believed) Tools(tools.Tools) error { return nil }

func noCause(format string, args ...any) *events.Reason {
	return events.Refuse(events.CodeNoCause, format, args...)
}

func differs(format string, args ...any) *events.Reason {
	return events.Refuse(events.CodeCauseDiffers, format, args...)
}

// believe says why a record is not applied; nil: its cause holds. A log whose facts need no cause yet is
// believed as it lies, but for the records with which that changes.
func (s *State) believe(r events.Record, payload events.Payload, own bool) *events.Reason {
	switch payload.(type) {
	case *events.EnvironmentCreated, *events.TrustSigned, *events.TrustPublished:
	default:
		if s.Root == "" {
			return nil
		}
	}
	check, known := causes[r.Kind]
	if !known {
		return noCause("this version does not know what must lead to %s", r.Kind)
	}
	return check(claim{s, r, payload, own})
}

// follows keeps Asking up to date: r is believed, and not applied yet.
func (s *State) follows(r events.Record, payload events.Payload) {
	switch p := payload.(type) {
	case *events.EnvironmentCreated:
		s.Asking = &Asking{Record: r.ID, Opened: p, Key: r.Key}
	case *events.UpgradeApproved:
		s.Asking = s.agreedTo(r.ID, p.Upgrade, p.Request)
	case *events.RequestApproved:
		s.Asking = s.agreedTo(r.ID, p.Approved, p.Request)
	case requestRecord:
		s.Asking = &Asking{Record: r.ID, Signed: p.Asked().Signed}
		s.Asking.read()
	default:
		if a := s.Asking; a != nil {
			next := *a
			next.Facts++
			s.Asking = &next
		}
	}
}

// agreedTo is the request that waits under an id, with one approval more.
func (s *State) agreedTo(record, id string, approval events.Request) *Asking {
	w := s.Pending[id]
	if w == nil {
		return nil
	}
	a := &Asking{Record: record, Signed: w.Request.Signed, Approvals: append(slices.Clone(w.Approvals), approval.Signed)}
	a.read()
	return a
}

// read sets what Signed says. After a snapshot it is called anew.
func (a *Asking) read() {
	if signed, ask, err := events.ParseSigned(a.Signed); err == nil {
		a.ask, a.key = ask, signed.Key
	}
}

// requestRecord is a payload that holds a request.
type requestRecord interface {
	events.Payload
	Asked() events.Request
}

// byServer checks that a state server signed the record for this position.
func (c claim) byServer(roster events.Roster, revoked events.Revoked) *events.Reason {
	switch {
	case c.rec.Key == "":
		return noCause("%s is signed by nobody", c.rec.Kind)
	case !slices.Contains(roster.StateServers, c.rec.Key) || slices.Contains(revoked.Keys, c.rec.Key):
		return events.Refuse(events.CodeEventAuthor, "%s is signed with the key %q, which is no state server's", c.rec.Kind, c.rec.Key)
	case !c.rec.IsPlaced(c.UUID):
		return events.Refuse(events.CodeEventAuthor, "%s was not made for position %d of this log", c.rec.Kind, c.rec.Seq)
	}
	return c.signedBy(c.rec, c.rec.Key)
}

// signedBy checks the signature of a record, unless this process did so before.
func (c claim) signedBy(r events.Record, key string) *events.Reason {
	if c.own {
		return nil
	}
	if err := r.CheckSignature(key); err != nil {
		return events.Refuse(events.CodeEventAuthor, "%v", err)
	}
	return nil
}

func (c claim) byRoster() *events.Reason {
	return c.byServer(c.Trust.Roster, believed{c.State}.Revoked())
}

// opens is the cause of the first record: none. Everything else follows from it.
func opens() cause {
	return func(c claim) *events.Reason {
		p := c.payload.(*events.EnvironmentCreated)
		switch {
		case c.UUID != "":
			return noCause("only the first record creates the environment")
		case p.Root == "":
			return nil // from before facts had to be proven
		case c.pin != "" && c.pin != p.Root:
			return differs("the log begins with the root %.12s…, pinned is %.12s…", p.Root, c.pin)
		case c.rec.Key == "" || !c.rec.IsPlaced(p.UUID):
			return noCause("the first record is not signed for its place")
		}
		return c.signedBy(c.rec, c.rec.Key)
	}
}

// said is the cause of what a state server says of its own.
func said[P events.Payload](rule func(claim, P) *events.Reason) cause {
	return func(c claim) *events.Reason {
		if why := c.byRoster(); why != nil || rule == nil {
			return why
		}
		return rule(c, c.payload.(P))
	}
}

// told is the cause of what a machine reports.
func told() cause {
	return func(c claim) *events.Reason {
		p := c.payload.(events.Report)
		head := p.Head()
		m := c.Machines[head.Machine]
		if m == nil || m.Key == "" {
			return noCause("there is no enrolled machine %s", head.Machine)
		}
		if m.Seen(head) {
			return events.Refuse(events.CodeReportTwice, "report %d of machine-%s (epoch %s) stands in the log before", head.N, head.Machine, head.Epoch)
		}
		late, ok := p.(*events.ReportLate)
		if !ok {
			return c.signedBy(c.rec, m.Key)
		}
		if why := c.byRoster(); why != nil { // that it came late is the state server's word
			return why
		}
		return c.signedBy(late.Original(), m.Key)
	}
}

// asks is the cause of a record that holds a request.
func asks[P requestRecord](rule func(asking, P) *events.Reason) cause {
	return func(c claim) *events.Reason {
		if why := c.byRoster(); why != nil {
			return why
		}
		p := c.payload.(P)
		q, why := c.authentic(p.Asked())
		if why != nil || rule == nil {
			return why
		}
		return rule(q, p)
	}
}

// asked is the cause of what was decided on a request.
func asked[P events.Payload](rule func(asking, P) *events.Reason) cause {
	return func(c claim) *events.Reason {
		a := c.Asking
		if a == nil || c.rec.Causation != a.Record {
			return noCause("%s does not follow on a request that asks for it", c.rec.Kind)
		}
		q := asking{claim: c, Asking: *a, ask: a.ask}
		q.by, _ = c.Trust.Roster.Operator(a.key)
		return rule(q, c.payload.(P))
	}
}

// asking is a record, and the request that must say the same. ask is zero for the record that opened the log.
type asking struct {
	claim
	Asking
	ask events.Ask
	by  events.Operator // who signed it
}

// authentic checks a request that a record holds: an operator signed it for this environment, the record
// repeats it truly, and it was not used before.
func (c claim) authentic(r events.Request) (asking, *events.Reason) {
	q := asking{claim: c, Asking: Asking{Signed: r.Signed}}
	signed, ask, err := events.ParseSigned(r.Signed)
	if err != nil {
		return q, noCause("%v", err)
	}
	q.ask = ask
	if q.by, err = c.Reader(c.rec.Time).Author(signed, ask); err != nil {
		return q, noCause("%v", err)
	}
	if r.ID != ask.ID || r.Action != ask.Action || r.Operator != q.by.Name || !r.Created.Equal(ask.Created) {
		return q, differs("the record says of request %s something else than %s signed", r.ID, q.by.Name)
	}
	if !c.Unused(ask) {
		return q, noCause("request %s was used before", ask.ID)
	}
	return q, nil
}

// Unused says whether nothing was decided on a request before. Requests older than those that the State
// still knows by id count as used.
func (s *State) Unused(ask events.Ask) bool {
	_, known := s.Requests[ask.ID]
	return !known && ask.Created.After(s.Forgotten)
}

// enrols is the cause of an enrolment: the token of an invitation, and the host's own key, signed what the host
// asked. Machine 0 comes with the log.
func enrols() cause {
	return func(c claim) *events.Reason {
		p := c.payload.(*events.MachineEnrolled)
		if why := c.byRoster(); why != nil {
			return why
		}
		if a := c.Asking; a != nil && a.Opened != nil && c.rec.Causation == a.Record {
			if p.Machine != "0" || p.Key != a.Opened.Machine {
				return differs("the log begins with another machine 0")
			}
			return nil
		}
		if !c.own {
			if _, err := wire.OpenEnrolment(p.Asked); err != nil {
				return noCause("%v", err)
			}
		}
		return enrolled(c, p)
	}
}
