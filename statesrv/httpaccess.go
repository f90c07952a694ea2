package statesrv

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
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
	key, ok := p.sessions.operatorOf(c.Value)
	return ok && p.isOperator(r.Context(), key)
}

// checkToken checks the token of a request in this order: its signature, its environment, its
// time, and that its signer is an operator at this moment.
func (p *pages) checkToken(r *http.Request) (operator string, t events.HTTPToken, err error) {
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
	return signed.Key, t, nil
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
	operator, t, err := p.checkToken(r)
	if err != nil {
		http.Error(w, needsToken, http.StatusUnauthorized)
		return
	}
	if err := p.sessions.begin(w, operator, t); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// sessions opens sessions of browsers. A session is its cookie: the operator's key and the end of the
// token that opened it, under a secret of this process. Nothing is kept of a session, so nobody can use
// up the sessions of others; and none outlives the process.
type sessions struct {
	now    func() time.Time
	secret []byte

	mu sync.Mutex // guards newest: each request has a goroutine of its own
	// newest is when the newest token was issued that an operator has exchanged, by his key. Only a token that
	// was issued later is exchanged, so that each is once, however many there are.
	newest map[string]time.Time
}

func newSessions(now func() time.Time) *sessions {
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // it never fails
	return &sessions{now: now, secret: secret, newest: map[string]time.Time{}}
}

// begin exchanges a token of an operator, and sets the cookie of its session.
func (s *sessions) begin(w http.ResponseWriter, operator string, t events.HTTPToken) error {
	if !s.isNewer(operator, t.Issued) {
		return errors.New("that token, or a newer one, was exchanged already; juju http-token makes another one")
	}
	statement, err := json.Marshal(httpSession{Operator: operator, Expires: t.Expires})
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: encode(statement) + "." + encode(s.mac(statement)), Path: "/", Expires: t.Expires,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	return nil
}

// isNewer says whether a token was issued after every one that the operator has exchanged, and notes it.
// What is older than any token that still holds is forgotten.
func (s *sessions) isNewer(operator string, issued time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	over := s.now().Add(-events.MaxHTTPTokenLife)
	maps.DeleteFunc(s.newest, func(_ string, newest time.Time) bool { return newest.Before(over) })
	if !issued.After(s.newest[operator]) {
		return false
	}
	s.newest[operator] = issued
	return true
}

// httpSession is what the cookie of a session says.
type httpSession struct {
	Operator string    `json:"operator"` // public key of who signed the token
	Expires  time.Time `json:"expires"`
}

// operatorOf gives the public key of the operator whose session a cookie is; ok is false when this process did
// not make it, or when it has expired.
func (s *sessions) operatorOf(cookie string) (key string, ok bool) {
	said, proof, _ := strings.Cut(cookie, ".")
	statement, err := base64.RawURLEncoding.DecodeString(said)
	mac, err2 := base64.RawURLEncoding.DecodeString(proof)
	var session httpSession
	if err != nil || err2 != nil || !hmac.Equal(mac, s.mac(statement)) || json.Unmarshal(statement, &session) != nil {
		return "", false
	}
	return session.Operator, s.now().Before(session.Expires)
}

func (s *sessions) mac(statement []byte) []byte {
	h := hmac.New(sha256.New, s.secret)
	h.Write(statement)
	return h.Sum(nil)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
