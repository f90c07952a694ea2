package statesrv

import (
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
)

// Limits of HTTP.
const (
	maxHTTPHeader   = 16 << 10 // bytes of a request's headers
	maxHTTPRequests = 32       // answered at the same time
)

// httpNames are the names and addresses of this server: the certificate is made for them, and a
// Host header may have them.
func (s *Server) httpNames(addr net.Addr) []string {
	names := map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}
	for _, name := range s.cfg.HTTPNames {
		names[strings.ToLower(name)] = true
	}
	if host, err := os.Hostname(); err == nil {
		names[strings.ToLower(host)] = true
	}
	if host, _, err := net.SplitHostPort(addr.String()); err == nil {
		if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
			names[host] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// headers are on every answer. With them a browser loads nothing from another site and runs no
// script, lets no other site frame or read the page, and stores nothing.
var headers = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cache-Control":                "no-store",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cross-Origin-Opener-Policy":   "same-origin",
}

// guarded puts the checks before the pages, from the cheapest on: the method, the body, the Host
// header, the number of requests at a time, and last the token, which takes a look at the state.
func (p *pages) guarded() http.Handler {
	mux := p.mux()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "these pages are read only", http.StatusMethodNotAllowed)
			return
		case r.ContentLength != 0:
			http.Error(w, "a request for a page has no body", http.StatusBadRequest)
			return
		case !p.isOwnName(r.Host):
			http.Error(w, "this server is not called that; advertise the name (juju bootstrap --advertise), or use the address", http.StatusMisdirectedRequest)
			return
		}
		select {
		case p.slots <- struct{}{}:
			defer func() { <-p.slots }()
		default:
			http.Error(w, "too many requests at a time; try again", http.StatusServiceUnavailable)
			return
		}
		if !p.open && !isPublic(r.URL.Path) && !p.isAllowed(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, needsToken, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// needsToken is the answer to a request without a valid token.
const needsToken = `This page needs a token that is good. For a browser, open what this prints:
  juju http-token https://HOST:PORT
For a program: juju http-token --header | curl --header @- https://HOST:PORT/status`

// isPublic says whether a path needs no token. Such a path tells nothing of the environment, or is
// where a token is handed in.
func isPublic(path string) bool {
	return path == "/healthz" || path == "/enter" || path == "/session" || strings.HasPrefix(path, "/static/")
}

// isOwnName says whether a Host header names this server. A name of another site that resolves to
// this host is refused: with it a page of that site could read these pages (DNS rebinding). An
// address is accepted, since no DNS server can make it resolve to something else.
func (p *pages) isOwnName(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	return net.ParseIP(name) != nil || p.hosts[name]
}
