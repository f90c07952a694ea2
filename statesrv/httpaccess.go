package statesrv

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// cookieName: the prefix lets browsers take it over TLS only, for this host and no other.
const cookieName = "__Host-jujube"

// allowed says whether a request has a token, or the session that one was exchanged for.
func (p *pages) allowed(r *http.Request) bool {
	if r.Header.Get("Authorization") != "" {
		_, _, err := p.token(r)
		return err == nil
	}
	c, err := r.Cookie(cookieName)
	if err != nil {
		return false
	}
	key, ok := p.sessions.holder(c.Value)
	return ok && p.reads(r.Context(), key)
}

// token checks the token of a request: its signature, its environment, its time, and that
// its signer is an operator now.
func (p *pages) token(r *http.Request) (text string, t events.HTTPToken, err error) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", t, errors.New("there is no token")
	}
	signed, t, err := events.ParseHTTPToken(text)
	if err != nil {
		return "", t, err
	}
	if err := bus.Verify(signed.Key, events.PAE(events.HTTPTokenType, signed.Statement), signed.Signature); err != nil {
		return "", t, err
	}
	if err := t.Check(p.s.cfg.Environment, p.s.cfg.Now()); err != nil {
		return "", t, err
	}
	if !p.reads(r.Context(), signed.Key) {
		return "", t, errors.New("its signer is no operator of this environment")
	}
	return text, t, nil
}

// reads says whether the holder of a key is an operator. Whatever else one may do, he may look.
func (p *pages) reads(ctx context.Context, key string) (may bool) {
	err := p.s.look(ctx, func(_ *term, st *projections.State) {
		_, may = st.Trust.Roster.Operator(key)
	})
	return err == nil && may
}

// session exchanges a token, once, for a cookie that no script can read and no other site
// can send.
func (p *pages) session(w http.ResponseWriter, r *http.Request) {
	text, t, err := p.token(r)
	if err != nil {
		http.Error(w, needsToken, http.StatusUnauthorized)
		return
	}
	signed, _, err := events.ParseHTTPToken(text)
	if err == nil {
		err = p.sessions.begin(w, signed, t.Expires)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// maxSessions is how many browsers may look at the same time.
const maxSessions = 256

// sessions are the browsers that look, in memory. Each ends with its token.
type sessions struct {
	now func() time.Time

	mu   sync.Mutex
	open map[[32]byte]httpSession // by the hash of the cookie: what is looked up is no secret
	used map[[32]byte]time.Time   // tokens that were exchanged, by hash, until they expire
}

type httpSession struct {
	key     string // of the operator who signed the token
	expires time.Time
}

func (s *sessions) begin(w http.ResponseWriter, signed events.Signed, expires time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
	token := sha256.Sum256(append(slices.Clone(signed.Statement), signed.Key...)) // not the signature: it has several forms
	switch {
	case !s.used[token].IsZero():
		return errors.New("that token was exchanged already: juju http-token makes another one")
	case len(s.open) >= maxSessions || len(s.used) >= maxSessions:
		return fmt.Errorf("%d browsers look already; try again later", maxSessions)
	}
	cookie := rand.Text()
	if s.open == nil {
		s.open, s.used = map[[32]byte]httpSession{}, map[[32]byte]time.Time{}
	}
	s.used[token] = expires
	s.open[sha256.Sum256([]byte(cookie))] = httpSession{signed.Key, expires}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: cookie, Path: "/", Expires: expires, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	return nil
}

// holder is whose session a cookie is.
func (s *sessions) holder(cookie string) (key string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[sha256.Sum256([]byte(cookie))]
	return found.key, ok && s.now().Before(found.expires)
}

// forget drops what has expired.
func (s *sessions) forget() {
	now := s.now()
	for k, v := range s.open {
		if !now.Before(v.expires) {
			delete(s.open, k)
		}
	}
	for k, expires := range s.used {
		if !now.Before(expires) {
			delete(s.used, k)
		}
	}
}
