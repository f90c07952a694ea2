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

// cookieName is the session's cookie. A browser takes a cookie with the prefix __Host- over TLS
// only, and sends it to this host and to no other (RFC 6265bis, section 4.1.3.2).
const cookieName = "__Host-jujube"

// isAllowed says whether a request may see a page: it brings a valid token, or the cookie of a
// session whose operator is still on the roster. A request with a token is judged by the token
// alone.
func (p *pages) isAllowed(r *http.Request) bool {
	if r.Header.Get("Authorization") != "" {
		_, _, err := p.checkToken(r)
		return err == nil
	}
	c, err := r.Cookie(cookieName)
	if err != nil {
		return false
	}
	key, ok := p.sessions.keyOf(c.Value)
	return ok && p.isOperator(r.Context(), key)
}

// checkToken checks the token of a request in this order: its signature, its environment, its
// time, and that its signer is an operator at this moment. text is the token as it was sent.
func (p *pages) checkToken(r *http.Request) (text string, t events.HTTPToken, err error) {
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
	if !p.isOperator(r.Context(), signed.Key) {
		return "", t, errors.New("its signer is no operator of this environment")
	}
	return text, t, nil
}

// isOperator says whether a key belongs to an operator. Whatever roles an operator has, reading is
// allowed, so no role is looked for.
func (p *pages) isOperator(ctx context.Context, key string) (may bool) {
	err := p.s.look(ctx, func(_ *term, st *projections.State) {
		_, may = st.Trust.Roster.Operator(key)
	})
	return err == nil && may
}

// session exchanges a token for a cookie. A token can be exchanged once. Scripts cannot read the
// cookie (HttpOnly), and no other site can have it sent (SameSite).
func (p *pages) session(w http.ResponseWriter, r *http.Request) {
	text, t, err := p.checkToken(r)
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

// maxSessions bounds the open sessions, and the exchanged tokens that are remembered.
const maxSessions = 256

// sessions are the open sessions of browsers. They are kept in memory only. Each ends when the
// token that opened it expires. The zero value, with now set, has none.
type sessions struct {
	now func() time.Time

	mu   sync.Mutex               // guards open and used: each request has a goroutine of its own
	open map[[32]byte]httpSession // by the SHA-256 of the cookie, so that the time of a look-up tells nothing of the cookie itself
	used map[[32]byte]time.Time   // when each exchanged token expires, by SHA-256; until then it is refused
}

type httpSession struct {
	key     string // of the operator who signed the token
	expires time.Time
}

// begin opens a session for a token and sets its cookie. The error is that the token was exchanged
// before, or that there are too many sessions.
func (s *sessions) begin(w http.ResponseWriter, signed events.Signed, expires time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropExpired()
	token := sha256.Sum256(append(slices.Clone(signed.Statement), signed.Key...)) // without the signature, which can be written in several ways
	switch {
	case !s.used[token].IsZero():
		return errors.New("that token was exchanged already; juju http-token makes another one")
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

// keyOf gives the public key of the operator whose session a cookie belongs to; ok is false when
// there is no such session or it has expired.
func (s *sessions) keyOf(cookie string) (key string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[sha256.Sum256([]byte(cookie))]
	return found.key, ok && s.now().Before(found.expires)
}

// dropExpired forgets sessions and tokens that have expired. The caller holds mu.
func (s *sessions) dropExpired() {
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
