package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// getQuery is a Direct Get of several messages. Source: NATS ADR-31.
type getQuery struct {
	Seq      uint64 `json:"seq,omitempty"`
	Subject  string `json:"next_by_subj,omitempty"`
	Batch    int    `json:"batch,omitempty"`
	MaxBytes int    `json:"max_bytes,omitempty"`
	UpTo     uint64 `json:"-"` // the reader's own bound; NATS knows up_to_seq for multi_last only
}

// stored is one message of a stream.
type stored struct {
	stream, subject string
	seq             uint64
	pending         uint64 // messages behind this one, in an answer to getBatch
	time            time.Time
	header          nats.Header
	data            []byte
}

// getTimeout is how long a server may take for one answer.
const getTimeout = 30 * time.Second

// getBatch yields the messages that a Direct Get answers, in order. An answer without
// messages yields none. The bodies are not shared.
func (c *Conn) getBatch(ctx context.Context, stream string, q getQuery) iter.Seq2[stored, error] {
	return func(yield func(stored, error) bool) {
		if q.UpTo > 0 {
			q.Batch = int(min(uint64(q.Batch), q.UpTo-q.Seq+1))
		}
		ctx, cancel := context.WithTimeout(ctx, getTimeout)
		defer cancel()
		body, err := json.Marshal(q)
		if err != nil {
			yield(stored{}, err)
			return
		}
		inbox := c.nats.NewInbox()
		sub, err := c.nats.SubscribeSync(inbox)
		if err != nil {
			yield(stored{}, translate(err))
			return
		}
		defer func() { _ = sub.Unsubscribe() }()
		if err := c.nats.PublishRequest(directGet(stream), inbox, body); err != nil {
			yield(stored{}, translate(err))
			return
		}
		for {
			m, err := nextMsg(ctx, sub)
			if err != nil {
				yield(stored{}, err)
				return
			}
			if status := m.Header.Get("Status"); status != "" && len(m.Data) == 0 {
				if err := endOfBatch(status, m.Header.Get("Description")); err != nil {
					yield(stored{}, err)
				}
				return
			}
			s, err := parseStored(m)
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

func nextMsg(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	m, err := sub.NextMsgWithContext(ctx)
	if errors.Is(err, nats.ErrSlowConsumer) {
		return nil, errors.New("the answer came faster than it could be read")
	}
	return m, translate(err)
}

// endOfBatch: 204 ends a batch, 404 says that there is nothing, 503 that nobody answers.
func endOfBatch(status, description string) error {
	switch status {
	case "204", "404":
		return nil
	case "503":
		return ErrNoStateServer
	}
	return fmt.Errorf("NATS answers %s %s", status, description)
}

func parseStored(m *nats.Msg) (stored, error) {
	seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return stored{}, fmt.Errorf("read a stored message: sequence %q: %w", m.Header.Get("Nats-Sequence"), err)
	}
	at, err := time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp"))
	if err != nil {
		at = time.Time{}
	}
	pending, err := strconv.ParseUint(m.Header.Get("Nats-Num-Pending"), 10, 64)
	if err != nil {
		pending = 0 // a lone Direct Get does not tell
	}
	return stored{
		pending: pending, stream: m.Header.Get("Nats-Stream"), subject: m.Header.Get("Nats-Subject"),
		seq: seq, time: at, header: m.Header, data: m.Data,
	}, nil
}

// getLast is the newest message of one literal subject; ErrNotFound when there is none.
// The subject is part of the request's subject, so permissions can name it.
func (c *Conn) getLast(ctx context.Context, stream, subject string) (stored, error) {
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	m, err := c.nats.RequestWithContext(ctx, directGet(stream)+"."+subject, nil)
	if err != nil {
		return stored{}, fmt.Errorf("read the newest of %s: %w", subject, translate(err))
	}
	switch status := m.Header.Get("Status"); status {
	case "":
		return parseStored(m)
	case "404":
		return stored{}, fmt.Errorf("read the newest of %s: %w", subject, ErrNotFound)
	default:
		return stored{}, fmt.Errorf("read the newest of %s: %w", subject, endOfBatch(status, m.Header.Get("Description")))
	}
}
