package bus

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/host"
)

// resyncEvery is how often an agent reads its own last orders although nothing was
// said: between one and two of it, so that a fleet does not ask in step.
const resyncEvery = 5 * time.Minute

// Orders hands the newest record of each of a machine's order subjects (agent and
// units), and of what is published of trust, to f: at the start, after every reconnection, live, and every few minutes. It
// never hands out the same or an older one twice within one call. It blocks until ctx
// is done. tag is "machine-3".
//
// An order is state: one that was replaced while the machine was away is never seen.
func (c *Conn) Orders(ctx context.Context, tag string, f func(events.Record)) error {
	o := &orderReader{conn: c, tag: tag, f: f, seen: map[string]uint64{}}
	records := make(chan stored, 64)
	poke := host.NewPoke()
	live := func(m *nats.Msg) {
		s, err := parseLive(m)
		if err != nil {
			c.garbage(m.Subject, err)
			return
		}
		select {
		case records <- s:
		default:
			poke.Send()
		}
	}
	for _, subject := range []string{names.SubjectLive + "order." + tag + ".*", names.SubjectLive + names.EntityTrust} {
		stop, err := c.subscribe(subject, limits.RecordBytes, live)
		if err != nil {
			return err
		}
		defer stop()
	}
	defer c.onReconnect(poke.Send)()
	poke.Send()
	for {
		select {
		case <-poke:
			if o.resync(ctx) != nil {
				time.AfterFunc(time.Second, poke.Send)
			}
		case s := <-records:
			o.take(s)
		case <-time.After(resyncEvery + rand.N(resyncEvery)):
			poke.Send()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// parseLive reads a message that the log republished. Only NATS sets these headers
// behind the wall between the accounts; the order itself is checked again by the agent.
func parseLive(m *nats.Msg) (stored, error) {
	seq, err := strconv.ParseUint(fromNATS(m.Header, "Nats-Sequence"), 10, 64)
	if err != nil {
		return stored{}, err
	}
	s := stored{stream: fromNATS(m.Header, "Nats-Stream"), subject: fromNATS(m.Header, "Nats-Subject"), seq: seq, data: m.Data}
	if s.stream != names.StreamLog || names.SubjectLive+s.subject[min(len(names.SubjectLog), len(s.subject)):] != m.Subject {
		return stored{}, errors.New("the headers name another stream or subject")
	}
	return s, nil
}

type orderReader struct {
	conn *Conn
	tag  string
	f    func(events.Record)
	seen map[string]uint64 // newest sequence handed out, by subject
}

// resync reads the newest order and assignment, after what is trusted: they may need it.
func (o *orderReader) resync(ctx context.Context) error {
	order := names.SubjectLog + "order." + o.tag + "."
	for _, subject := range []string{names.SubjectTrust, order + "agent", order + "units"} {
		s, err := o.conn.getLast(ctx, names.StreamLog, subject)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			o.conn.cfg.Logger.Debug("reading own orders", "err", err)
			return err
		}
		o.take(s)
	}
	return nil
}

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
