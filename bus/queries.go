package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
)

// Query is a wire.Question as a state server receives it. Only operators ask.
type Query struct {
	Name   string // of the question, such as "status"
	From   string // public key of the operator who asks, as NATS knows it; empty: NATS does not say
	Body   []byte
	Answer func(answer []byte, err error) // to be called once
}

// An answer is one zstd stream, cut into messages of at most maxAnswerBytes. The last message
// has the header headerEnd. If there is no answer but an error, one message without a body
// has the error's text in headerError.
const (
	maxAnswerBytes = 512 << 10
	headerEnd      = "Jujube-End"
	headerError    = "Jujube-Error"
)

// encoder and decoder are made when they are first used: an agent uses neither. Both may be
// used concurrently, as EncodeAll and DecodeAll keep no state in them.
var (
	encoder = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	})
	decoder = sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderMaxMemory(limits.AnswerBytes))
	})
)

// ServeQueries hands every query to f, one after another, until stop is called. The next query
// waits until f returns, so f answers from another goroutine if the answer takes time.
func (c *Conn) ServeQueries(f func(Query)) (stop func(), err error) {
	return c.subscribe(names.SubjectQuery+"*", limits.PieceBytes, func(m *nats.Msg) {
		f(Query{
			Name: strings.TrimPrefix(m.Subject, names.SubjectQuery), From: senderOf(m), Body: m.Data,
			Answer: func(answer []byte, err error) { c.answerQuery(m, answer, err) },
		})
	})
}

func (c *Conn) answerQuery(m *nats.Msg, answer []byte, err error) {
	if m.Reply == "" {
		return // nobody waits for it
	}
	enc, encErr := encoder()
	if err = errors.Join(err, encErr); err != nil {
		end := nats.NewMsg(m.Reply)
		end.Header.Set(headerError, strings.ReplaceAll(err.Error(), "\n", "; ")) // a header is one line
		c.publishOrLog(end)
		return
	}
	packed := enc.EncodeAll(answer, nil)
	for {
		part := nats.NewMsg(m.Reply)
		part.Data = packed[:min(len(packed), maxAnswerBytes)]
		packed = packed[len(part.Data):]
		if len(packed) == 0 {
			part.Header.Set(headerEnd, "1")
		}
		c.publishOrLog(part)
		if len(packed) == 0 {
			return
		}
	}
}

func (c *Conn) publishOrLog(m *nats.Msg) {
	if err := c.nats.PublishMsg(m); err != nil {
		c.cfg.Logger.Debug("answering", "subject", m.Subject, "err", err)
	}
}

// Ask implements wire.Asker: it asks the state server the question called name and returns
// the whole answer. It returns ErrNoStateServer when nobody serves queries, and nobody has
// taken over for some seconds. When the connection is lost meanwhile the answer does not come,
// so ctx should have a deadline.
func (c *Conn) Ask(ctx context.Context, name string, body []byte) ([]byte, error) {
	packed, err := untilServed(ctx, func(ctx context.Context) ([]byte, error) { return c.ask(ctx, name, body) })
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", name, err)
	}
	dec, err := decoder()
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", name, err)
	}
	answer, err := dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: unpack the answer: %w", name, err)
	}
	return answer, nil
}

// ask returns the parts of the answer, put together and still packed. They come in the order
// in which they were sent: NATS keeps the order of what one connection publishes.
func (c *Conn) ask(ctx context.Context, name string, body []byte) ([]byte, error) {
	inbox := c.nats.NewInbox()
	sub, err := c.nats.SubscribeSync(inbox)
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := c.nats.PublishRequest(names.SubjectQuery+name, inbox, body); err != nil {
		return nil, translate(err)
	}
	var packed bytes.Buffer
	for {
		m, err := nextMsg(ctx, sub)
		if err != nil {
			return nil, err
		}
		if m.Header.Get("Status") == "503" {
			return nil, ErrNoStateServer
		}
		if text := m.Header.Get(headerError); text != "" {
			return nil, fmt.Errorf("the state server says: %s", text)
		}
		packed.Write(m.Data)
		if m.Header.Get(headerEnd) != "" {
			return packed.Bytes(), nil
		}
	}
}
