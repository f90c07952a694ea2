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

// httpNames are the names and addresses that a certificate is for, and that a browser may
// ask for.
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

// headers are on every answer: nothing of another site is loaded, no script runs, no other
// site shows the page or keeps what it says.
var headers = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cache-Control":                "no-store",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cross-Origin-Opener-Policy":   "same-origin",
}

// guarded refuses what is no reading of a page by somebody who may, before any page sees it.
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
			http.Error(w, "a question has no body", http.StatusBadRequest)
			return
		case !p.mine(r.Host):
			http.Error(w, "this server is not called that; advertise the name (juju bootstrap --advertise), or use the address", http.StatusMisdirectedRequest)
			return
		}
		select {
		case p.busy <- struct{}{}:
			defer func() { <-p.busy }()
		default:
			http.Error(w, "too many are asking; ask again", http.StatusServiceUnavailable)
			return
		}
		if !p.open && !everybodys(r.URL.Path) && !p.allowed(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, needsToken, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

const needsToken = `This page needs a token that is good. For a browser, open what this prints:
  juju http-token https://HOST:PORT
For a program: juju http-token --header | curl --header @- https://HOST:PORT/status`

// everybodys are the paths that need no token: they tell nothing, or take the token.
func everybodys(path string) bool {
	return path == "/healthz" || path == "/enter" || path == "/session" || strings.HasPrefix(path, "/static/")
}

// mine says whether a Host header names this server. A page of another site whose name
// was made to lead here (DNS rebinding) is not answered; an address cannot be made to.
func (p *pages) mine(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	return net.ParseIP(name) != nil || p.hosts[name]
}
