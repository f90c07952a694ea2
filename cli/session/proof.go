package session

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/accepted"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/host"
)

// Unproved says whether an error is a state server's failure to prove that the log goes on: not one
// that is away, but one that answers and shows another log, or none that is believed.
func Unproved(err error) bool {
	return events.CodeOf(err) != "" || errors.Is(err, tree.ErrKey)
}

// proofLife is how long one proof holds for a connection that stays.
const proofLife = time.Minute

// missedLife is how long a command that found no state server takes it that there is none, so that it
// waits once and not at each step.
const missedLife = 10 * time.Second

// proof is when the state server has last proved, over this connection, that the log goes on from
// what this client has seen. A connection that was lost has proved nothing: somebody else may answer
// at the same address, or the same one with an older log.
type proof struct {
	mu     sync.Mutex
	given  time.Time // zero: none, or the connection was lost since
	missed time.Time // when nobody answered
	warned bool      // that nothing can be compared
	lost   host.Poke // the connection was lost and came back
}

// forget is called when the connection has come back.
func (p *proof) forget() {
	p.mu.Lock()
	p.given = time.Time{}
	p.mu.Unlock()
	p.lost.Send()
}

// prove has the state server prove that the log goes on from what this client has seen, unless it
// has done so a moment ago. No answer of a state server that does not is believed.
func (s *Session) prove(ctx context.Context) error {
	s.proof.mu.Lock()
	defer s.proof.mu.Unlock()
	if !s.proof.given.IsZero() && time.Since(s.proof.given) < proofLife {
		return nil
	}
	return s.proveNow(ctx)
}

// proveAgain is prove whatever was proved before.
func (s *Session) proveAgain(ctx context.Context) error {
	s.proof.mu.Lock()
	defer s.proof.mu.Unlock()
	return s.proveNow(ctx)
}

// proveNow asks for the proof. A client that knows no key of the log, or none of those that have
// signed the newest checkpoint, gets them out of the signed metadata first.
func (s *Session) proveNow(ctx context.Context) error {
	began := time.Now()
	if s.verifies || s.witness.Blind() {
		if err := s.learnKeys(ctx); err != nil {
			return err
		}
	}
	if s.witness.Blind() {
		s.sayBlind()
	}
	if s.verifies || s.witness.Blind() {
		s.proof.given = began
		return nil
	}
	err := s.witness.Observe(ctx, s.conn)
	if errors.Is(err, tree.ErrKey) {
		if lerr := s.learnKeys(ctx); lerr != nil {
			return lerr
		}
		err = s.witness.Observe(ctx, s.conn)
	}
	if err == nil {
		s.proof.given = began
	}
	return err
}

// learnKeys takes the log's keys from the newest signed metadata. A client that has pinned no root
// learns none.
func (s *Session) learnKeys(ctx context.Context) error {
	err := s.acceptMetadata(ctx)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	keys, err := knownKeys(s.app.Store(), s.Env.Name)
	if err != nil {
		return err
	}
	return s.witness.believe(keys)
}

// sayBlind says, once, that what is read is compared with nothing.
func (s *Session) sayBlind() {
	if s.proof.warned {
		return
	}
	s.proof.warned = true
	_, err := accepted.Of(s.app.Store(), s.Env.Name).Anchor()
	why := "the environment's signed metadata names none (juju trust log-key publishes it), or nobody answers who shows it"
	if err != nil {
		why = "it has pinned no root of signed metadata, which would name it (juju trust init --anchor SHA256)"
	}
	s.app.Say("WARNING nothing tells whether this is the log that was there before: this client knows no key of it; %s", why)
}

// proveSoon is prove for the beginning of a command. That no state server answers in time is no
// error then: the log is read, and a request stored, without one. Each question asks for the proof
// again, before it is asked. It is called by the goroutine of the command alone.
func (s *Session) proveSoon(ctx context.Context, prove func(context.Context) error) error {
	if time.Since(s.proof.missed) < missedLife {
		return nil
	}
	soon, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	err := prove(soon)
	if err != nil && (errors.Is(err, bus.ErrNoStateServer) || soon.Err() != nil && ctx.Err() == nil) {
		s.proof.missed = time.Now()
		if s.witness.Blind() {
			s.sayBlind()
		}
		return nil
	}
	return err
}

// keepProving asks for the proof after each reconnection, and every proofLife, until ctx ends or the
// proof fails: then the log must not be followed any more, and the error says why. A state server
// that does not answer, or that has only begun to, is asked again.
func (s *Session) keepProving(ctx context.Context) (refused error) {
	for refused == nil {
		select {
		case <-s.proof.lost:
		case <-time.After(proofLife):
		case <-ctx.Done():
			return nil
		}
		_ = provePauses.Retry(ctx, func() error {
			one, cancel := context.WithTimeout(ctx, questionTimeout)
			defer cancel()
			err := s.prove(one)
			if Unproved(err) {
				refused = err
				return nil
			}
			return err
		})
	}
	return refused
}

// provePauses are between tries to get a proof while the log is followed.
var provePauses = host.Backoff{Min: askAgain, Max: 5 * time.Second}
