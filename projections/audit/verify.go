package audit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// Finding is one thing that must not be in a log.
type Finding struct {
	Seq  uint64 `json:"seq"`
	Code string `json:"code"` // a Found… constant
	Text string `json:"text"`
}

// Codes of findings.
const (
	FoundGap      = "gap"                   // a sequence is missing, or came twice
	FoundStart    = "first-record"          // the log does not begin with environment.created, or another follows
	FoundInvalid  = "invalid"               // bytes that are no record, or a payload that breaks its kind's rules
	FoundOrder    = "order"                 // an order was issued twice, or beside another one of its machine
	FoundTerminal = "terminal"              // an order ended twice, or one ended that was never issued
	FoundReport   = events.CodeReportTwice  // a report stands in the log twice
	FoundDigest   = "digest"                // the state at a snapshot is another one than it says
	FoundAuthor   = events.CodeEventAuthor  // who signed a report or an order may not say it
	FoundServed   = "served-digest"         // the state server serves another state than the log gives
	FoundNoCause  = events.CodeNoCause      // nothing that somebody signed leads to a record
	FoundDiffers  = events.CodeCauseDiffers // a record says something else than its cause
)

// Verifier checks a log, record by record. A snapshot.taken record names the digest that the state had at
// an earlier sequence. The Verifier must know it when it comes to that sequence, so all records are given
// to Expect before the first one is given to Fold.
type Verifier struct {
	State    *projections.State
	Findings []Finding
	Unknown  map[string]uint64 // number of records of kinds that this build does not know, by kind; they are no findings
	Checked  int               // snapshots whose digest was compared
	Orders   int               // orders that were issued
	Proven   uint64            // the record from which on every fact needs a signed cause; 0: there is none

	snapshots map[uint64][]events.SnapshotTaken // by the sequence whose state they are of
	open      map[string]Open                   // by order
	ended     map[string]uint64                 // order → sequence of the record that ended it
	machines  map[string]string                 // machine → its open order
	opened    string                            // who signed the first record; empty: the log is from before records were signed
	next      uint64
}

// Open is an order that has not ended yet. It is no finding.
type Open struct {
	Order   string `json:"order"`
	Machine string `json:"machine"`
	Seq     uint64 `json:"seq"`
}

// NewVerifier starts with an empty log.
func NewVerifier() *Verifier {
	return &Verifier{
		State: projections.New(), Unknown: map[string]uint64{}, snapshots: map[uint64][]events.SnapshotTaken{},
		open: map[string]Open{}, ended: map[string]uint64{}, machines: map[string]string{}, next: 1,
	}
}

// Expect notes the digest in a snapshot.taken record, and ignores every other record. Call it for all
// records of the log before the first Fold.
func (v *Verifier) Expect(r events.Record) {
	if r.Kind != (*events.SnapshotTaken)(nil).Kind() {
		return
	}
	payload, err := events.Decode(r)
	if p, ok := payload.(*events.SnapshotTaken); err == nil && ok && p.Seq < r.Seq {
		v.snapshots[p.Seq] = append(v.snapshots[p.Seq], *p)
	}
}

// Fold checks the next record and folds it. invalid is the error with which events.Log.Read yielded the
// record: nil, or one that wraps events.ErrInvalid.
func (v *Verifier) Fold(r events.Record, invalid error) {
	if r.Seq != v.next {
		v.find(r.Seq, FoundGap, "expected sequence %d", v.next)
	}
	v.next = r.Seq + 1
	if invalid != nil {
		v.State.Fold(events.Record{Seq: r.Seq})
		v.find(r.Seq, FoundInvalid, "%v", invalid)
		return
	}
	payload, err := events.Decode(r)
	if r.Seq == 1 {
		v.opened = r.Key
	}
	if created, ok := payload.(*events.EnvironmentCreated); v.State.Root == "" && !(ok && created.Root != "") {
		v.checkAuthor(r, payload)
	}
	var again *Finding
	if p, ok := payload.(events.Report); ok {
		again = v.checkReport(r.Seq, p)
	}
	why := v.State.Fold(r)
	defer v.compare(r.Seq)
	if v.Proven == 0 && v.State.Root != "" {
		v.Proven = r.Seq
	}
	if _, second := payload.(*events.EnvironmentCreated); second && why != nil && r.Seq > 1 {
		v.find(r.Seq, FoundStart, "a log begins with environment.created and has no second one")
		return
	}
	if why != nil {
		v.find(r.Seq, why.Code, "%s is not believed, and changes nothing: %s", r.Kind, why.Text)
		return
	}
	if again != nil {
		v.Findings = append(v.Findings, *again)
	}
	switch {
	case errors.Is(err, events.ErrUnknownKind):
		v.Unknown[r.Kind]++
	case err != nil:
		v.find(r.Seq, FoundInvalid, "%v", err)
	default:
		v.check(r.Seq, payload)
	}
	if _, ok := payload.(*events.EnvironmentCreated); ok != (r.Seq == 1) {
		v.find(r.Seq, FoundStart, "a log begins with environment.created and has no second one; here is %s", r.Kind)
	}
}

func (v *Verifier) find(seq uint64, code, format string, args ...any) {
	v.Findings = append(v.Findings, Finding{seq, code, fmt.Sprintf(format, args...)})
}

// checkReport finds a report whose number was folded before. It is called before the report is folded.
func (v *Verifier) checkReport(seq uint64, p events.Report) *Finding {
	h := p.Head()
	if m := v.State.Machines[h.Machine]; m != nil && m.Seen(h) {
		return &Finding{seq, FoundReport, fmt.Sprintf("report %d of machine-%s (epoch %s) stands in the log twice", h.N, h.Machine, h.Epoch)}
	}
	return nil
}

// check follows the orders, and finds snapshots of a state that comes only later.
func (v *Verifier) check(seq uint64, payload events.Payload) {
	switch p := payload.(type) {
	case *events.SnapshotTaken:
		if p.Seq >= seq {
			v.find(seq, FoundDigest, "a snapshot speaks of %d, which is not behind it", p.Seq)
		}
	case *events.OrderIssued:
		v.begin(seq, p.Machine, p.Order)
	case *events.RestartOrdered:
		v.begin(seq, p.Machine, p.Order)
	}
	if order, machine, ends := events.EndsOrder(payload); ends {
		v.end(seq, machine, order)
	}
}

func (v *Verifier) begin(seq uint64, machine, order string) {
	if other, ok := v.machines[machine]; ok {
		v.find(seq, FoundOrder, "machine-%s is given order %s while %s is open", machine, order, other)
	}
	if _, again := v.ended[order]; again {
		v.find(seq, FoundOrder, "order %s is issued again after it ended", order)
	}
	if _, again := v.open[order]; again {
		v.find(seq, FoundOrder, "order %s is issued twice", order)
	}
	v.Orders++
	v.machines[machine] = order
	v.open[order] = Open{order, machine, seq}
}

func (v *Verifier) end(seq uint64, machine, order string) {
	if at, twice := v.ended[order]; twice {
		v.find(seq, FoundTerminal, "order %s of machine-%s ends again: it ended at %d", order, machine, at)
		return
	}
	o, ok := v.open[order]
	switch {
	case !ok:
		v.find(seq, FoundTerminal, "order %s of machine-%s ends, but was never issued", order, machine)
	case o.Machine != machine:
		v.find(seq, FoundTerminal, "order %s of machine-%s is ended for machine-%s", order, o.Machine, machine)
	}
	v.ended[order] = seq
	delete(v.open, order)
	if v.machines[machine] == order {
		delete(v.machines, machine)
	}
}

// compare checks the digests that snapshots give for the state at seq.
func (v *Verifier) compare(seq uint64) {
	for _, p := range v.snapshots[seq] {
		if max(p.Schema, 1) != projections.Schema {
			continue // a build whose State holds other things took it
		}
		v.Checked++
		if got := v.State.Digest(); got != p.Digest {
			v.find(seq, FoundDigest, "a snapshot says %s, the log gives %s", p.Digest, got)
		}
	}
}

// Served compares the digest that a state server gives for a sequence with that of the log. It must be
// called when that sequence was folded last.
func (v *Verifier) Served(seq uint64, digest string) {
	if got := v.State.Digest(); v.State.Seq == seq && got != digest {
		v.find(seq, FoundServed, "the state server says %s, the log gives %s", digest, got)
	}
}

// OpenOrders are the orders that have not ended, oldest first.
func (v *Verifier) OpenOrders() []Open {
	out := make([]Open, 0, len(v.open))
	for _, o := range v.open {
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b Open) int {
		if a.Seq < b.Seq {
			return -1
		}
		return 1
	})
	return out
}
