package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/host"
)

// Answer is what the state server says to a report.
type Answer int

// Answers to a report.
const (
	Later   Answer = iota // not now; the same again later
	Stored                // it is in the log; forget it
	Refused               // never send it again
)

// outbox keeps reports on the disk until the state server has stored them. They are sent in
// order. Each has a number within an epoch, so that a report which is sent twice is stored
// once. Epoch and numbers go on over processes and reboots: to know them, the newest report
// that was stored is kept, under the name lastSent. Only an outbox that was lost with its
// disk begins another epoch.
type outbox struct {
	dir     string
	machine string
	epoch   string
	signer  events.Signer
	logger  *slog.Logger
	now     func() time.Time
	newID   func() string

	mu    sync.Mutex
	n     uint64 // last number given out in this epoch, and of the last file
	more  host.Poke
	acked chan struct{} // closed and replaced at every acknowledgement
}

// maxProgress is how many reports may wait before reports of mere progress are dropped.
const maxProgress = limits.WaitingProgress

// openOutbox opens the directory; what an earlier process left there is sent first.
func openOutbox(dir, machine string, signer events.Signer, now func() time.Time, newID func() string, logger *slog.Logger) (*outbox, error) {
	if err := os.MkdirAll(filepath.Join(dir, "refused"), 0o700); err != nil {
		return nil, fmt.Errorf("open the outbox: %w", err)
	}
	o := &outbox{
		dir: dir, machine: machine, signer: signer, now: now, newID: newID, logger: logger,
		more: host.NewPoke(), acked: make(chan struct{}),
	}
	names, err := o.list()
	if err != nil {
		return nil, err
	}
	if len(names) > 0 {
		o.poke()
	}
	for _, name := range append([]string{lastSent}, names...) {
		if head, ok := o.headOf(name); ok && (o.epoch == "" || head.Epoch != o.epoch || head.N > o.n) {
			o.epoch, o.n = head.Epoch, head.N
		}
	}
	if o.epoch == "" {
		o.epoch = newID()
	}
	for _, name := range names { // what cannot be read has its place among the numbers all the same
		var n uint64
		if _, err := fmt.Sscanf(name, "%d.rec", &n); err == nil {
			o.n = max(o.n, n)
		}
	}
	return o, nil
}

// lastSent is the newest report that the state server has.
const lastSent = "sent.last"

// headOf reads the epoch and the number of a report on disk.
func (o *outbox) headOf(name string) (events.ReportHead, bool) {
	rec, err := o.read(name)
	if err != nil {
		return events.ReportHead{}, false
	}
	p, err := events.Decode(rec)
	report, ok := p.(events.Report)
	if err != nil || !ok {
		return events.ReportHead{}, false
	}
	return report.Head(), true
}

func (o *outbox) read(name string) (events.Record, error) {
	data, err := host.ReadPinned(filepath.Join(o.dir, name))
	if err != nil {
		return events.Record{}, err
	}
	return events.Unmarshal(data)
}

// list gives the waiting files, oldest first.
func (o *outbox) list() ([]string, error) {
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".rec") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func (o *outbox) poke() {
	o.more.Send()
}

// put numbers a report, signs it, and makes it durable: whenever it is sent, it is the same
// bytes. A report of mere progress is dropped if many wait. A report that ends an order is
// put once while it waits; if it was sent before, the state server recognizes its id.
func (o *outbox) put(report events.Report) (n uint64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, progress := report.(*events.AgentDownloading); progress {
		if names, err := o.list(); err == nil && len(names) > maxProgress {
			return 0, nil
		}
	}
	id := o.newID()
	if order, _, ends := events.EndsOrder(report); ends {
		if id = "end-" + order; o.waits(id) {
			return o.n, nil
		}
	}
	report.SetHead(events.ReportHead{Machine: o.machine, Epoch: o.epoch, N: o.n + 1})
	rec, err := events.New(events.Envelope{ID: id, Time: o.now(), Actor: events.MachineTag(o.machine)}, report)
	if err != nil {
		return 0, err
	}
	if rec, err = rec.Signed(o.signer); err != nil {
		return 0, err
	}
	data, err := events.Marshal(rec)
	if err != nil {
		return 0, err
	}
	if err := host.WriteFile(filepath.Join(o.dir, fmt.Sprintf("%016d.rec", o.n+1)), data); err != nil {
		return 0, err
	}
	o.n++
	o.poke()
	return o.n, nil
}

// waits says whether a report of that id is not sent yet.
func (o *outbox) waits(id string) bool {
	names, err := o.list()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(names, func(name string) bool {
		rec, err := o.read(name)
		return err == nil && rec.ID == id
	})
}

// run sends the reports that wait, in order, until ctx ends. If send answers Later, that
// report stays, and the reports behind it wait, too.
func (o *outbox) run(ctx context.Context, send func(context.Context, events.Record) (Answer, error)) {
	for failed := 0; ; {
		sent, err := o.flush(ctx, send)
		if sent {
			failed = 0
		}
		var again <-chan time.Time // nil while nothing failed: then only a new report wakes this loop
		if err != nil {
			o.logger.Debug("reporting", "err", err)
			again = time.After(reportPauses.Pause(failed))
			failed++
		}
		select {
		case <-ctx.Done():
			return
		case <-o.more:
		case <-again:
		}
	}
}

func (o *outbox) flush(ctx context.Context, send func(context.Context, events.Record) (Answer, error)) (sent bool, err error) {
	names, err := o.list()
	if err != nil {
		return false, err
	}
	for _, name := range names {
		path := filepath.Join(o.dir, name)
		data, err := host.ReadPinned(path)
		if err != nil {
			return sent, err
		}
		answer := Refused
		rec, err := events.Unmarshal(data)
		if err == nil {
			answer, err = send(ctx, rec)
		}
		switch answer {
		case Later:
			return sent, errors.Join(errors.New("the state server did not store the report yet"), err)
		case Refused:
			o.logger.Warn("the state server refused a report; it is kept in outbox/refused", "kind", rec.Kind, "err", err)
			if err := os.Rename(path, filepath.Join(o.dir, "refused", o.epoch+"-"+name)); err != nil {
				return sent, err
			}
		case Stored:
			if err := os.Rename(path, filepath.Join(o.dir, lastSent)); err != nil {
				return sent, err
			}
		}
		sent = true
		o.acknowledged()
	}
	return sent, nil
}

func (o *outbox) acknowledged() {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.acked)
	o.acked = make(chan struct{})
}

// drained waits until nothing is left to send, or ctx ends.
func (o *outbox) drained(ctx context.Context) bool {
	for {
		o.mu.Lock()
		acked := o.acked
		o.mu.Unlock()
		if o.empty() {
			return true
		}
		select {
		case <-acked:
		case <-ctx.Done():
			return false
		}
	}
}

// empty says whether nothing waits.
func (o *outbox) empty() bool {
	names, err := o.list()
	return err == nil && len(names) == 0
}
