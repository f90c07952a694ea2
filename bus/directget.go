package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/jujube-project/jujube/bus/internal/names"
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
		answers := make(chan *nats.Msg, q.Batch+1)
		sub, err := c.nats.ChanSubscribe(inbox, answers)
		if err != nil {
			yield(stored{}, translate(err))
			return
		}
		defer func() { _ = sub.Unsubscribe() }()
		if err := c.nats.PublishRequest(names.DirectGet(stream), inbox, body); err != nil {
			yield(stored{}, translate(err))
			return
		}
		for {
			m, err := c.nextOf(ctx, answers)
			if err != nil {
				yield(stored{}, err)
				return
			}
			if status, ended := statusOf(m); ended {
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

// nextOf takes the next message as it is: what nats.go makes of a status is not asked, as
// a stored message may carry any.
func (c *Conn) nextOf(ctx context.Context, answers <-chan *nats.Msg) (*nats.Msg, error) {
	look := time.NewTicker(answerLook)
	defer look.Stop()
	for {
		select {
		case m := <-answers:
			return m, nil
		case <-look.C:
			if c.nats.IsClosed() {
				return nil, nats.ErrConnectionClosed
			}
		case <-ctx.Done():
			return nil, ctx.Err()
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

// statusOf is what NATS says in place of a stored message. A stored one has a sequence,
// and may carry any other header that its publisher liked, a status too.
func statusOf(m *nats.Msg) (status string, is bool) {
	return m.Header.Get("Status"), fromNATS(m.Header, "Nats-Sequence") == ""
}

// fromNATS is a header that NATS itself has added: it adds behind those that the publisher
// of a stored message has given, under the same name perhaps. (nats-server 2.15, genHeader)
func fromNATS(h nats.Header, name string) string {
	values := h.Values(name)
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

func parseStored(m *nats.Msg) (stored, error) {
	number := fromNATS(m.Header, "Nats-Sequence")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return stored{}, fmt.Errorf("read a stored message: sequence %q: %w", number, err)
	}
	at, err := time.Parse(time.RFC3339Nano, fromNATS(m.Header, "Nats-Time-Stamp"))
	if err != nil {
		at = time.Time{}
	}
	pending, err := strconv.ParseUint(fromNATS(m.Header, "Nats-Num-Pending"), 10, 64)
	if err != nil {
		pending = 0 // a lone Direct Get does not tell
	}
	return stored{
		pending: pending, stream: fromNATS(m.Header, "Nats-Stream"), subject: fromNATS(m.Header, "Nats-Subject"),
		seq: seq, time: at, header: m.Header, data: m.Data,
	}, nil
}

// getLast is the newest message of one literal subject; ErrNotFound when there is none.
// The subject is part of the request's subject, so permissions can name it.
func (c *Conn) getLast(ctx context.Context, stream, subject string) (stored, error) {
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	m, err := c.nats.RequestWithContext(ctx, names.DirectGet(stream)+"."+subject, nil)
	if err != nil {
		return stored{}, fmt.Errorf("read the newest of %s: %w", subject, translate(err))
	}
	switch status, is := statusOf(m); {
	case !is:
		return parseStored(m)
	case status == "404":
		return stored{}, fmt.Errorf("read the newest of %s: %w", subject, ErrNotFound)
	default:
		return stored{}, fmt.Errorf("read the newest of %s: %w", subject, endOfBatch(status, m.Header.Get("Description")))
	}
}
