package bootstrap_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/bootstrap"
	"github.com/jujube-project/jujube/events/limits"
)

func plan() bootstrap.Plan {
	return bootstrap.Plan{Environment: "5c1e3f5c", Name: "prod", Operator: events.Operator{Name: "ann", Key: "UANN"}, Host: "127.0.0.1"}
}

// server is a jujud that notes what it was told.
type server struct {
	plan   bootstrap.Plan
	bundle string
	broken error
}

func (s *server) Prepare(p bootstrap.Plan) (bootstrap.Keys, error) {
	s.plan = p
	return bootstrap.Keys{StateServer: "USERVER", Log: "log+key"}, s.broken
}

func (s *server) Make(signed bootstrap.Signed) (bootstrap.Made, error) {
	s.bundle = string(signed.Bundle)
	return bootstrap.Made{JWT: "token"}, nil
}

// talk lets both sides speak with each other.
func talk(s *server, p bootstrap.Plan, sign func(bootstrap.Keys) (bootstrap.Signed, error)) (m bootstrap.Made, asked, answered error) {
	toServer, fromClient := io.Pipe()
	toClient, fromServer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := bootstrap.Answer(toServer, fromServer, s)
		_, _ = toServer.Close(), fromServer.Close()
		done <- err
	}()
	m, asked = bootstrap.Ask(fromClient, toClient, p, sign)
	_ = fromClient.Close()
	return m, asked, <-done
}

func sign(k bootstrap.Keys) (bootstrap.Signed, error) {
	return bootstrap.Signed{Bundle: []byte("signed for " + k.StateServer)}, nil
}

func TestTalk(t *testing.T) {
	s := &server{}
	made, asked, answered := talk(s, plan(), sign)
	if asked != nil || answered != nil || made.JWT != "token" {
		t.Fatalf("%+v; juju says %v, jujud says %v", made, asked, answered)
	}
	if s.plan.Name != "prod" || s.bundle != "signed for USERVER" {
		t.Errorf("jujud was told %+v and %q", s.plan, s.bundle)
	}
}

func TestNothingIsMadeWhenTheClientDoesNotSign(t *testing.T) {
	s, refuses := &server{}, errors.New("no key")
	_, asked, answered := talk(s, plan(), func(bootstrap.Keys) (bootstrap.Signed, error) { return bootstrap.Signed{}, refuses })
	if !errors.Is(asked, refuses) || answered == nil || !strings.Contains(answered.Error(), "nothing was made") || s.bundle != "" {
		t.Errorf("juju says %v, jujud says %v and was told %q", asked, answered, s.bundle)
	}
}

func TestTheClientLearnsThatJujudGaveUp(t *testing.T) {
	s := &server{broken: errors.New("no room")}
	_, asked, answered := talk(s, plan(), sign)
	if !errors.Is(answered, s.broken) || !errors.Is(asked, io.EOF) {
		t.Errorf("juju says %v, jujud says %v", asked, answered)
	}
}

func TestPlansThatAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*bootstrap.Plan){
		"no UUID":         func(p *bootstrap.Plan) { p.Environment = "" },
		"a name of parts": func(p *bootstrap.Plan) { p.Name = "a.b" },
		"no operator":     func(p *bootstrap.Plan) { p.Operator.Name = "" },
		"no key":          func(p *bootstrap.Plan) { p.Operator.Key = "" },
		"a port too far":  func(p *bootstrap.Plan) { p.Port = 65536 },
		"no address":      func(p *bootstrap.Plan) { p.Host = "" },
	} {
		s, p := &server{}, plan()
		spoil(&p)
		if _, _, answered := talk(s, p, sign); answered == nil || s.plan.Environment != "" {
			t.Errorf("%s: jujud says %v and was told %+v", name, answered, s.plan)
		}
	}
}

// A plan of limits.BootstrapBytes is read, and one that is a byte longer is not.
func TestBootstrapBytes(t *testing.T) {
	b, err := json.Marshal(plan())
	if err != nil {
		t.Fatal(err)
	}
	for more, want := range []string{"no room", "EOF"} {
		padded := bytes.Replace(b, []byte("{"), append([]byte("{"), bytes.Repeat([]byte(" "), limits.BootstrapBytes-len(b)+more)...), 1)
		err := bootstrap.Answer(bytes.NewReader(padded), io.Discard, &server{broken: errors.New("no room")})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes: %v, want %q", len(padded), err, want)
		}
	}
}

// Whatever is said, on either side, is an answer or an error.
func FuzzTalk(f *testing.F) {
	b, err := json.Marshal(plan())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(b, `{"bundle":"YQ=="}`...))
	f.Add([]byte(`{"state_server":"U","log":"l"}{"jwt":"t","certificates":"c"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &server{}
		if err := bootstrap.Answer(bytes.NewReader(b), io.Discard, s); err == nil && s.plan.Environment == "" {
			t.Errorf("%q is a plan without an environment", b)
		}
		_, _ = bootstrap.Ask(io.Discard, bytes.NewReader(b), plan(), sign)
	})
}
