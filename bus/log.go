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

// Log is the environment's log on JetStream. State servers and operators hold the same
// type; NATS lets only state servers append.
type Log struct {
	conn *Conn
}

var _ events.Log = (*Log)(nil)

// Log gives access to the environment's log.
func (c *Conn) Log() *Log { return &Log{conn: c} }

// Append implements events.Log: a lone record is one publish, several are one atomic
// batch, both fenced by the expected last sequence of the stream.
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
		return 0, fmt.Errorf("append %d records behind %d: %w", len(recs), expected, translate(err))
	}
	if last != expected+uint64(len(recs)) {
		return 0, fmt.Errorf("append %d records behind %d: the log answers %d", len(recs), expected, last)
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

// Last implements events.Log. The log has no gaps, so its end is its first record and
// what NATS says is pending behind it; STREAM.INFO would not pass between accounts.
func (l *Log) Last(ctx context.Context) (uint64, error) {
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

// lastTimeout bounds a question that NATS answers from memory: a lost connection loses
// it without a word.
const lastTimeout = 3 * time.Second

// Windows of reading: what one Direct Get asks for.
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

// Stored implements events.Log, by Direct Get: it needs no consumer and no right beyond
// one subject, and one reader does not hold up another.
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
					return
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

// gap is what Stored yields for sequences that are missing.
func gap(from, to uint64) (events.Stored, error) {
	return events.Stored{Seq: to}, fmt.Errorf("read the log: %w: sequences %d to %d", events.ErrGap, from, to)
}

// waitFor tells a stale replica, which will catch up, from a log that has no such
// sequence.
func (l *Log) waitFor(ctx context.Context, seq uint64, yield func(events.Stored, error) bool) bool {
	last, err := l.Last(ctx)
	if err == nil && last < seq {
		err = fmt.Errorf("read the log: %w: sequence %d, it ends at %d", ErrNotFound, seq, last)
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

const staleRetry = 20 * time.Millisecond

// Follow implements events.Log. What is republished after a commit is only the hint that
// there is something to read.
func (l *Log) Follow(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		hint, stop, err := l.hints()
		if err != nil {
			yield(events.Record{}, err)
			return
		}
		defer stop()
		for next := max(from, 1); ; {
			last, err := l.Last(ctx)
			if ctx.Err() != nil {
				yield(events.Record{}, ctx.Err())
				return
			}
			for rec, rerr := range l.Read(ctx, next, last) {
				if rerr != nil && !errors.Is(rerr, events.ErrInvalid) {
					err = rerr
					break
				}
				if !yield(rec, rerr) {
					return
				}
				next = rec.Seq + 1
			}
			if errors.Is(err, events.ErrGap) {
				yield(events.Record{}, err)
				return
			}
			select {
			case <-hint:
			case <-time.After(followCheck):
			case <-ctx.Done():
				yield(events.Record{}, ctx.Err())
				return
			}
		}
	}
}

// followCheck is how long a follower trusts the absence of hints: after an outage the
// hint of a record may have been lost.
const followCheck = 2 * time.Second

func (l *Log) hints() (hint host.Poke, stop func(), err error) {
	hint = host.NewPoke()
	unsubscribe, err := l.conn.subscribe(names.SubjectLive+">", limits.PayloadBytes, func(*nats.Msg) { hint.Send() })
	if err != nil {
		return nil, nil, err
	}
	forget := l.conn.onReconnect(hint.Send)
	return hint, func() { forget(); unsubscribe() }, nil
}

// log is a stored message of the log as its reader sees it.
func (m stored) log() events.Stored {
	return events.Stored{Seq: m.seq, Entity: strings.TrimPrefix(m.subject, names.SubjectLog), Time: m.time, Bytes: m.data}
}

// record reads a stored message of the log.
func (m stored) record() (events.Record, error) { return m.log().Record() }
