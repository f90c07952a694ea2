package servers

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/cli"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/events"
)

// Client runs juju in the test program. Its environment is a bus without a state server: a test
// answers in the state server's place.
type Client struct {
	t    testing.TB
	Data string
	Bus  *bustest.Bus
	Log  *bus.Log // with a state server's rights
}

// NewClient starts a bus, and makes a client that knows it as environment "prod".
func NewClient(t testing.TB) *Client {
	t.Helper()
	return NewClientIn(t, t.TempDir())
}

// NewClientIn is NewClient for a client that has something in its store already.
func NewClientIn(t testing.TB, data string) *Client {
	t.Helper()
	c := &Client{t: t, Data: data, Bus: bustest.Start(t)}
	a := clitest.In(c.Data)
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.Bus.Accounts.OperatorJWT("ann", id.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Store().SaveCredentials("prod", bus.Credentials{JWT: token, Seed: string(id.Seed())}); err != nil {
		t.Fatal(err)
	}
	if err := bus.PinAuthorities(a.Store().AuthoritiesFile("prod"), c.Bus.Accounts.Certificates()); err != nil {
		t.Fatal(err)
	}
	if err := a.Store().Add(app.Environment{Name: "prod", UUID: bustest.Environment, Operator: "ann", URLs: c.Bus.URLs}); err != nil {
		t.Fatal(err)
	}
	c.Log = c.Bus.StateServer().Log()
	c.Bus.KeepRequests()
	c.Append("", &events.SettingChanged{Key: "k", Value: "before"})
	return c
}

// Append puts records into the log as a state server does: in one batch.
func (c *Client) Append(request string, payloads ...events.Payload) {
	c.t.Helper()
	recs := make([]events.Record, 0, len(payloads))
	for _, p := range payloads {
		rec, err := events.New(events.Envelope{
			ID: uuid.NewString(), Time: time.Unix(1, 0), Actor: "state-server-0", Correlation: request,
		}, p)
		if err != nil {
			c.t.Error(err)
			return
		}
		recs = append(recs, rec)
	}
	c.AppendRecords(recs...)
}

// AppendRecords puts records into the log in one batch.
func (c *Client) AppendRecords(recs ...events.Record) {
	c.t.Helper()
	last, err := c.Log.Last(c.t.Context())
	if err == nil {
		_, err = c.Log.Append(c.t.Context(), last, recs...)
	}
	if err != nil {
		c.t.Error(err)
	}
}

// Judge calls f for every request that is stored, until the test ends. f judges it, as a state
// server would: with Append.
func (c *Client) Judge(f func(ask events.Ask)) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	conn := c.Bus.StateServer()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = conn.Requests(ctx, 1, func(r bus.Request) {
			_, ask, err := events.ParseSigned(r.Data)
			if err != nil {
				c.t.Error(err)
				return
			}
			f(ask)
		})
	}()
	c.t.Cleanup(func() { cancel(); <-done })
}

// Received makes the payload with which a state server records that it has received a request.
func Received(ask events.Ask) *events.RequestReceived {
	return &events.RequestReceived{Request: events.Request{
		ID: ask.ID, Action: ask.Action, Operator: "ann", Created: ask.Created, Signed: []byte("{}"),
	}}
}

// spoken collects what is written to it. As soon as text is in it, it calls when, once.
type spoken struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	text string
	when func()
}

func (s *spoken) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.buf.Write(b)
	if s.when != nil && strings.Contains(s.buf.String(), s.text) {
		s.when()
		s.when = nil
	}
	return n, err
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// Juju runs a command. As soon as the command has said text on stderr, when is called, if it is not
// nil.
func (c *Client) Juju(line, text string, when func(cancel context.CancelFunc)) (code int, said string) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	errs := &spoken{text: text, when: func() {
		if when != nil {
			when(cancel)
		}
	}}
	a := clitest.In(c.Data)
	a.Args, a.Stdin, a.Stdout, a.Stderr = strings.Fields("-e prod "+line), strings.NewReader(""), &bytes.Buffer{}, errs
	code = cli.Main(ctx, a)
	return code, errs.String()
}

// MustSay fails the test unless the command ended with the code and said each of the texts.
func (c *Client) MustSay(code, want int, said string, texts ...string) {
	c.t.Helper()
	for _, text := range texts {
		if !strings.Contains(said, text) {
			c.t.Errorf("it does not say %q:\n%s", text, said)
		}
	}
	if code != want {
		c.t.Errorf("exit %d, want %d:\n%s", code, want, said)
	}
}
