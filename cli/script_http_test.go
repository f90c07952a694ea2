package cli_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// page CODE URL [CA [HEADER]] reads a page and wants that status. CA is a file of
// certificates that are believed, HEADER a file of one header.
func page(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 4 {
		ts.Fatalf("usage: page CODE URL [CA [HEADER]]")
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodGet, args[1], nil)
	ts.Check(err)
	if len(args) > 2 {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(ts.ReadFile(args[2])))
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	if len(args) > 3 {
		name, value, _ := strings.Cut(strings.TrimSpace(ts.ReadFile(args[3])), ": ")
		r.Header.Set(name, value)
	}
	resp, err := (&http.Client{Transport: transport}).Do(r)
	ts.Check(err)
	ts.Check(resp.Body.Close())
	if got := fmt.Sprint(resp.StatusCode); got != args[0] {
		ts.Fatalf("%s answers %s, not %s", args[1], got, args[0])
	}
}
