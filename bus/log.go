package bus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/host"
)

// Log is the environment's log: the stream LOG. Whoever is connected may make one; NATS lets
// only state servers append, and only state servers and operators read.
type Log struct {
	conn *Conn
}

var _ events.Log = (*Log)(nil)

// Log is the environment's log, as this connection may use it.
func (c *Conn) Log() *Log { return &Log{conn: c} }

// Append implements events.Log. One record is one publish, several are one atomic batch
// (NATS ADR-50): NATS stores all of them or none. Either is refused with ErrConflict if the
// stream does not end at expected. A state server that leads no longer therefore cannot
// append, even if it believes that it leads.
func (l *Log) Append(ctx context.Context, expected uint64, recs ...events.Record) (uint64, error) {
	if len(recs) == 0 {
		return expected, nil
	}
	if len(recs) > limits.BatchRecords {
		return 0, fmt.Errorf("append %d records: %w: at most %d", len(recs), ErrTooLarge, limits.BatchRecords)
	}
	msgs := make([]*nats.Msg, len(recs))
	for i, r := range recs {
		data, err := events.Marshal(r)
		if err != nil {
			return 0, fmt.Errorf("append: %w", err)
		}
		msgs[i] = nats.NewMsg(names.SubjectLog + r.Entity)
		msgs[i].Data = data
	}
	msgs[0].Header.Set(jetstream.ExpectedLastSeqHeader, strconv.FormatUint(expected, 10))
	last, err := l.publish(ctx, msgs)
	if err != nil {
		return 0, fmt.Errorf("append %d records after %d: %w", len(recs), expected, translate(err))
	}
	if last != expected+uint64(len(recs)) {
		return 0, fmt.Errorf("append %d records after %d: NATS says that the log ends at %d", len(recs), expected, last)
	}
	return last, nil
}

func (l *Log) publish(ctx context.Context, msgs []*nats.Msg) (uint64, error) {
	if len(msgs) == 1 {
		ack, err := l.conn.js.PublishMsg(ctx, msgs[0])
		if err != nil {
			return 0, err
		}
		return ack.Sequence, nil
	}
	ack, err := jetstreamext.PublishMsgBatch(ctx, l.conn.js, msgs)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// Last implements events.Log. The log has no gaps, so its end is the sequence of its first
// record plus the number of messages that NATS says are pending behind it. STREAM.INFO would
// tell the end as well, but it is not exported: no account but CONTROL may ask it. While NATS
// is starting the log does not answer, and is asked again for some seconds.
func (l *Log) Last(ctx context.Context) (uint64, error) {
	return untilServed(ctx, l.last)
}

func (l *Log) last(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, lastTimeout)
	defer cancel()
	for m, err := range l.conn.getBatch(ctx, names.StreamLog, getQuery{Seq: 1, Batch: 1}) {
		if err != nil {
			return 0, fmt.Errorf("ask for the log's end: %w", err)
		}
		return m.seq + m.pending, nil
	}
	return 0, nil
}

// lastTimeout bounds a question that NATS answers from memory. When the connection is lost
// meanwhile, no error tells that the answer will not come.
const lastTimeout = 3 * time.Second

// What one Direct Get asks for at most, when many messages are read.
const (
	readMessages = 8192
	readBytes    = 4 << 20
)

// Read implements events.Log.
func (l *Log) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for stored, err := range l.Stored(ctx, from, to) {
			var rec events.Record
			if err == nil {
				rec, err = stored.Record()
			}
			if !yield(rec, err) || err != nil && !errors.Is(err, events.ErrInvalid) {
				return
			}
		}
	}
}

// Stored implements events.Log, by Direct Get. That needs no consumer on the server and no
// permission but one subject, and NATS answers each reader in the reader's own connection.
func (l *Log) Stored(ctx context.Context, from, to uint64) iter.Seq2[events.Stored, error] {
	return func(yield func(events.Stored, error) bool) {
		next := max(from, 1)
		for next <= to {
			got := false
			query := getQuery{Seq: next, Batch: readMessages, MaxBytes: readBytes, UpTo: to}
			for m, err := range l.conn.getBatch(ctx, names.StreamLog, query) {
				if err != nil {
					yield(events.Stored{}, fmt.Errorf("read the log from %d: %w", next, err))
					return
				}
				if m.seq > next && !yield(gap(next, min(m.seq-1, to))) || m.seq > to {
					return // NATS answers with the next message that it has, be it behind to
				}
				next, got = m.seq+1, true
				if !yield(m.log(), nil) {
					return
				}
			}
			if !got && !l.waitFor(ctx, next, yield) {
				return
			}
		}
	}
}

// gap is what Stored yields for the sequences that the stream lacks.
func gap(from, to uint64) (events.Stored, error) {
	return events.Stored{Seq: to}, fmt.Errorf("read the log: %w: sequences %d to %d", events.ErrGap, from, to)
}

// waitFor says whether to ask again for a sequence that an answer lacked. In a cluster a
// Direct Get may be answered by a replica that has not caught up yet: then it waits a
// moment. If the log ends before seq, it yields ErrNotFound.
func (l *Log) waitFor(ctx context.Context, seq uint64, yield func(events.Stored, error) bool) bool {
	last, err := l.Last(ctx)
	if err == nil && last < seq {
		err = fmt.Errorf("read the log: %w: sequence %d; the log ends at %d", ErrNotFound, seq, last)
	}
	if err == nil {
		select {
		case <-time.After(staleRetry):
			return true
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	yield(events.Stored{}, err)
	return false
}

// staleRetry is how long a replica is given to catch up.
const staleRetry = 20 * time.Millisecond

// Follow implements events.Log. NATS republishes every record to live.> after its commit, and
// operators hear that. A republished message is used as a hint only: the record is then read
// from the stream, in its place among the others.
func (l *Log) Follow(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		hint, stop, err := l.hints()
		if err != nil {
			yield(events.Record{}, err)
			return
		}
		defer stop()
		for next, more := max(from, 1), true; ; {
			if next, more = l.follow(ctx, next, yield); !more {
				return
			}
			select {
			case <-hint:
			case <-time.After(followCheck):
			case <-ctx.Done():
			}
		}
	}
}

// follow yields what there is now from the sequence next on, and returns where to go on. more
// is false when the reader wants no more, when ctx has ended, or when the log has a gap. After
// another error it is tried again: the log may be out of reach for a while.
func (l *Log) follow(ctx context.Context, next uint64, yield func(events.Record, error) bool) (_ uint64, more bool) {
	last, err := l.Last(ctx)
	if err == nil {
		for rec, rerr := range l.Read(ctx, next, last) {
			if rerr != nil && !errors.Is(rerr, events.ErrInvalid) {
				err = rerr
				break
			}
			if !yield(rec, rerr) {
				return next, false
			}
			next = rec.Seq + 1
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	} else if !errors.Is(err, events.ErrGap) {
		return next, true
	}
	yield(events.Record{}, err)
	return next, false
}

// followCheck is how long a reader that gets no hints believes that there is nothing new. A
// hint is a core NATS message: it is lost when the connection is lost.
const followCheck = 2 * time.Second

// hints sends a poke for every record that is appended, and after every reconnection.
func (l *Log) hints() (hint host.Poke, stop func(), err error) {
	hint = host.NewPoke()
	unsubscribe, err := l.conn.subscribe(names.SubjectHeard+">", limits.PayloadBytes, func(*nats.Msg) { hint.Send() })
	if err != nil {
		return nil, nil, err
	}
	forget := l.conn.reconnect.add(hint.Send)
	return hint, func() { forget(); unsubscribe() }, nil
}

// log is what a reader of the log sees of a stored message.
func (m stored) log() events.Stored {
	return events.Stored{Seq: m.seq, Entity: strings.TrimPrefix(m.subject, names.SubjectLog), Time: m.time, Bytes: m.data}
}

// record decodes the record that a stored message holds.
func (m stored) record() (events.Record, error) { return m.log().Record() }
