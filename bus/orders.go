package bus

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/host"
)

// resyncEvery is the shortest time after which an agent reads its newest orders although it
// heard of none. The longest is twice that: chance spreads the questions of a fleet.
const resyncEvery = 5 * time.Minute

// Orders hands f the newest order to a machine's agent, the newest order about its units and
// the newest trust.published, whenever there is a newer one of the three. tag is
// "machine-3". It blocks until ctx ends, and calls f from its own goroutine only.
//
// It hears of new ones from what LOG republishes, and reads the newest of each at the start,
// after every reconnection and every few minutes (resyncEvery), since a republished message
// is lost while the connection is. Of each subject f gets rising sequences only, as long as the log
// only grows. If the newest that lies there is older than what f got before, the log was put back to
// an old copy, or lost its end: f gets that one, too, and it is for f to say what is wrong with it.
//
// A state server of before republishes under names.SubjectLive only: that is what is left after its
// upgrade was taken back. Then it is heard there, until this ends.
//
// An order is state: f never sees one that was replaced while the machine was away.
func (c *Conn) Orders(ctx context.Context, tag string, f func(events.Record)) error {
	o := &orderReader{conn: c, tag: tag, f: f, seen: map[string]uint64{}, older: map[string]bool{}, live: make(chan stored, 64), poke: host.NewPoke()}
	deaf := host.NewPoke()
	defer c.deaf.add(deaf.Send)()
	stop, err := o.listen(names.SubjectHeard)
	if err != nil {
		return err
	}
	defer stop()
	defer c.reconnect.add(o.poke.Send)()
	o.poke.Send()
	for {
		select {
		case <-deaf:
			if o.before != nil {
				continue
			}
			if o.before, err = o.listen(names.SubjectLive); err != nil {
				time.AfterFunc(time.Second, deaf.Send)
				continue
			}
			defer o.before()
			o.poke.Send()
		case <-o.poke:
			if o.resync(ctx) != nil {
				time.AfterFunc(time.Second, o.poke.Send)
			}
		case s := <-o.live:
			if s.seq < o.seen[s.subject] {
				o.poke.Send() // it was overtaken by a read, or the log went back: what lies there tells
			}
			o.take(s)
		case <-time.After(resyncEvery + rand.N(resyncEvery)):
			o.poke.Send()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// orderReader hands out what is newer than what it handed out before. All but hear runs in the
// goroutine of Orders.
type orderReader struct {
	conn *Conn
	tag  string
	f    func(events.Record)
	seen map[string]uint64 // newest sequence handed out, by subject
	live chan stored       // what LOG republished and nobody took yet
	poke host.Poke         // the newest of each subject is to be read

	older map[string]bool // subjects whose newest was older than seen, when it was read last

	before func() // ends to listen under names.SubjectLive; nil: that was not necessary
}

// listen hears what LOG republishes for the machine under prefix: names.SubjectHeard or SubjectLive.
func (o *orderReader) listen(prefix string) (stop func(), err error) {
	orders, err := o.conn.subscribe(prefix+"order."+o.tag+".*", limits.RecordBytes, o.hear)
	if err != nil {
		return nil, err
	}
	trust, err := o.conn.subscribe(prefix+names.EntityTrust, limits.RecordBytes, o.hear)
	if err != nil {
		orders()
		return nil, err
	}
	return func() { orders(); trust() }, nil
}

// hear takes what LOG republished. NATS calls it, and it does not wait.
func (o *orderReader) hear(m *nats.Msg) {
	s, err := parseLive(m)
	if err != nil {
		o.conn.garbage(m.Subject, err)
		return
	}
	select {
	case o.live <- s:
	default:
		o.poke.Send() // f is slow: the newest is read when f is back
	}
}

// parseLive reads a message that LOG republished, by the headers that NATS gives it.
//
// Nobody but NATS can have anything delivered there (names.SubjectHeard). If that should ever
// fail, another agent could have the answer to a Direct Get of his own order sent here: the
// headers of such a message name his subject, not the one that it was delivered on, and it is
// refused. The agent checks the order's signature as well.
func parseLive(m *nats.Msg) (stored, error) {
	seq, err := strconv.ParseUint(fromNATS(m.Header, "Nats-Sequence"), 10, 64)
	if err != nil {
		return stored{}, err
	}
	s := stored{stream: fromNATS(m.Header, "Nats-Stream"), subject: fromNATS(m.Header, "Nats-Subject"), seq: seq, data: m.Data}
	entity := strings.TrimPrefix(s.subject, names.SubjectLog)
	if s.stream != names.StreamLog || m.Subject != names.SubjectHeard+entity && m.Subject != names.SubjectLive+entity {
		return stored{}, errors.New("the headers name another stream or subject")
	}
	return s, nil
}

// resync reads the newest of each subject. What is trusted comes first: to check the signature
// of an order the agent may need it.
func (o *orderReader) resync(ctx context.Context) error {
	order := names.SubjectLog + "order." + o.tag + "."
	for _, subject := range []string{names.SubjectTrust, order + "agent", order + "units"} {
		s, err := o.conn.getLast(ctx, names.StreamLog, subject)
		if err != nil && !errors.Is(err, ErrNotFound) {
			o.conn.cfg.Logger.Debug("reading own orders", "err", err)
			return err
		}
		o.wentBack(subject, s.seq)
		if err == nil {
			o.take(s)
		}
	}
	return nil
}

// wentBack lets take hand out what is older than what was handed out before, if that is the newest
// that lies there, twice in a row: a replica of NATS that answers may not have caught up the first
// time. seq is 0 if nothing lies there.
func (o *orderReader) wentBack(subject string, seq uint64) {
	switch {
	case seq >= o.seen[subject]:
		delete(o.older, subject)
	case !o.older[subject]:
		o.older[subject] = true
		time.AfterFunc(catchUp, o.poke.Send)
	default:
		o.conn.cfg.Logger.Warn("the log went back", "subject", subject, "from", o.seen[subject], "to", seq)
		delete(o.older, subject)
		delete(o.seen, subject)
	}
}

// catchUp is how long a replica is given before an older answer is believed.
const catchUp = time.Second

func (o *orderReader) take(s stored) {
	if s.seq <= o.seen[s.subject] {
		return
	}
	rec, err := s.record()
	if err != nil {
		o.conn.garbage(s.subject, err)
		return
	}
	o.seen[s.subject] = s.seq
	o.f(rec)
}
