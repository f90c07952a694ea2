package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go"
)

// Query is a question of an operator to the state server. It changes nothing.
type Query struct {
	Name   string // such as "status"
	Body   []byte
	Answer func(answer []byte, err error)
}

// An answer is one zstd stream, cut into messages of at most maxAnswerBytes. The last
// one carries headerEnd; an error stands in headerError instead.
const (
	maxAnswerBytes = 512 << 10

	headerEnd   = "Jujube-End"
	headerError = "Jujube-Error"
)

// encoder and decoder are made at first use: an agent never needs them.
var (
	encoder = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	})
	decoder = sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderMaxMemory(limits.AnswerBytes))
	})
)

// ServeQueries hands every query to f until stop is called; f may answer later.
func (c *Conn) ServeQueries(f func(Query)) (stop func(), err error) {
	return c.subscribe(names.SubjectQuery+"*", limits.PieceBytes, func(m *nats.Msg) {
		f(Query{
			Name: strings.TrimPrefix(m.Subject, names.SubjectQuery), Body: m.Data,
			Answer: func(answer []byte, err error) { c.answerQuery(m, answer, err) },
		})
	})
}

func (c *Conn) answerQuery(m *nats.Msg, answer []byte, err error) {
	if m.Reply == "" {
		return
	}
	enc, encErr := encoder()
	if err = errors.Join(err, encErr); err != nil {
		end := nats.NewMsg(m.Reply)
		end.Header.Set(headerError, strings.ReplaceAll(err.Error(), "\n", "; "))
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

// Ask asks the state server and returns its whole answer. It returns ErrNoStateServer
// when nobody serves queries. ctx should have a deadline.
func (c *Conn) Ask(ctx context.Context, query string, body []byte) ([]byte, error) {
	inbox := c.nats.NewInbox()
	sub, err := c.nats.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", query, translate(err))
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := c.nats.PublishRequest(names.SubjectQuery+query, inbox, body); err != nil {
		return nil, fmt.Errorf("ask for %s: %w", query, translate(err))
	}
	var packed bytes.Buffer
	for {
		m, err := nextMsg(ctx, sub)
		if err != nil {
			return nil, fmt.Errorf("ask for %s: %w", query, err)
		}
		if m.Header.Get("Status") == "503" {
			return nil, fmt.Errorf("ask for %s: %w", query, ErrNoStateServer)
		}
		if text := m.Header.Get(headerError); text != "" {
			return nil, fmt.Errorf("ask for %s: the state server says: %s", query, text)
		}
		packed.Write(m.Data)
		if m.Header.Get(headerEnd) != "" {
			break
		}
	}
	dec, err := decoder()
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", query, err)
	}
	answer, err := dec.DecodeAll(packed.Bytes(), nil)
	if err != nil {
		return nil, fmt.Errorf("ask for %s: unpack the answer: %w", query, err)
	}
	return answer, nil
}

// Lead runs f while this process holds the environment's lease, and returns when f does
// or ctx ends. A lost lease ends f's context. The lease keeps two state servers from
// working against each other; what makes it safe is the fence in Log.Append.
func (c *Conn) Lead(ctx context.Context, id string, ttl time.Duration, f func(context.Context) error) error {
	l := &lease{conn: c, id: id, ttl: ttl}
	if err := l.take(ctx); err != nil {
		return err
	}
	leading, stop := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		defer stop()
		l.keep(leading)
	}()
	err := f(leading)
	stop()
	<-kept
	l.give()
	return err
}
