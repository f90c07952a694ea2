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

	"github.com/jujube-project/jujube/bus/internal/names"
)

// getQuery is the body of a Direct Get of several messages. Source: NATS ADR-31.
type getQuery struct {
	Seq      uint64 `json:"seq,omitempty"`
	Subject  string `json:"next_by_subj,omitempty"`
	Batch    int    `json:"batch,omitempty"`
	MaxBytes int    `json:"max_bytes,omitempty"`
	UpTo     uint64 `json:"-"` // the last sequence to ask for; NATS has up_to_seq for multi_last only
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

// getTimeout bounds one Direct Get, with all the messages that answer it.
const getTimeout = 30 * time.Second

// getBatch yields the messages that answer a Direct Get, in the order of their sequences. If
// there are none, it yields none. After an error it yields nothing more. The caller may keep
// the bytes of a message.
func (c *Conn) getBatch(ctx context.Context, stream string, q getQuery) iter.Seq2[stored, error] {
	return func(yield func(stored, error) bool) {
		if q.UpTo > 0 {
			q.Batch = int(min(uint64(q.Batch), q.UpTo-q.Seq+1))
		}
		ctx, cancel := context.WithTimeout(ctx, getTimeout)
		defer cancel()
		answers, stop, err := c.askBatch(stream, q)
		if err != nil {
			yield(stored{}, err)
			return
		}
		defer stop()
		for {
			s, ended, err := c.nextStored(ctx, answers)
			if ended && err == nil || !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// askBatch sends a Direct Get. The channel of the answers has room for all messages of the
// batch and for the status that ends it, so that NATS never drops one of them because the
// reader is slow.
func (c *Conn) askBatch(stream string, q getQuery) (answers chan *nats.Msg, stop func(), err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, nil, err
	}
	inbox := c.nats.NewInbox()
	answers = make(chan *nats.Msg, q.Batch+1)
	sub, err := c.nats.ChanSubscribe(inbox, answers)
	if err != nil {
		return nil, nil, translate(err)
	}
	stop = func() { _ = sub.Unsubscribe() }
	if err := c.nats.PublishRequest(names.DirectGet(stream), inbox, body); err != nil {
		stop()
		return nil, nil, translate(err)
	}
	return answers, stop, nil
}

// nextStored takes the next message of a batch. ended: there is none left.
func (c *Conn) nextStored(ctx context.Context, answers <-chan *nats.Msg) (s stored, ended bool, err error) {
	m, err := c.nextOf(ctx, answers)
	if err != nil {
		return s, false, err
	}
	if status, ended := statusOf(m); ended {
		return s, true, endOfBatch(status, m.Header.Get("Description"))
	}
	s, err = parseStored(m)
	return s, false, err
}

// nextOf takes the next message as it is. The methods of nats.go would make an error of a
// message with a status; but a stored message may carry any header that its publisher gave
// it, a status as well. It looks now and then whether the connection was closed, as nobody
// closes the channel then.
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

// nextMsg takes the next message of a subscription.
func nextMsg(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	m, err := sub.NextMsgWithContext(ctx)
	if errors.Is(err, nats.ErrSlowConsumer) {
		return nil, errors.New("the answer came faster than it could be read")
	}
	return m, translate(err)
}

// endOfBatch judges the status that ends a batch: 204 is its regular end, 404 says that
// there is no such message, 503 that nobody serves the subject. Source: NATS ADR-31.
func endOfBatch(status, description string) error {
	switch status {
	case "204", "404":
		return nil
	case "503":
		return ErrNoStateServer
	}
	return fmt.Errorf("NATS answers %s %s", status, description)
}

// statusOf tells a status of NATS (is) from a stored message. Only a stored message has a
// sequence, which NATS adds. Its other headers prove nothing: its publisher may have given
// it a status.
func statusOf(m *nats.Msg) (status string, is bool) {
	return m.Header.Get("Status"), fromNATS(m.Header, "Nats-Sequence") == ""
}

// fromNATS returns the value of a header as NATS itself has added it, empty if it has not.
// The publisher of a stored message may have given a header of the same name. NATS adds its
// own behind, so the last value counts. Source: nats-server 2.15, genHeader.
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
		pending = 0 // the answer to getLast does not tell
	}
	return stored{
		pending: pending, stream: fromNATS(m.Header, "Nats-Stream"), subject: fromNATS(m.Header, "Nats-Subject"),
		seq: seq, time: at, header: m.Header, data: m.Data,
	}, nil
}

// getLast returns the newest message of one literal subject, or ErrNotFound if there is none.
// The subject stands in the subject of the request, so that a permission can name it: an
// agent may read its own orders in this way, and nobody else's.
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
