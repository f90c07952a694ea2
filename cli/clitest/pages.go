package clitest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// page CODE URL [CA [HEADER]] reads a page and fails unless the status is CODE. CA is a file of the
// certificates that are believed, HEADER a file of one header.
func page(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 4 {
		ts.Fatalf("usage: page CODE URL [CA [HEADER]]")
	}
	if code, _ := get(ts, args[1:]); fmt.Sprint(code) != args[0] {
		ts.Fatalf("%s answers %d, not %s", args[1], code, args[0])
	}
}

// save FILE URL [CA [HEADER]] writes a page into a file.
func save(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 4 {
		ts.Fatalf("usage: save FILE URL [CA [HEADER]]")
	}
	_, body := get(ts, args[1:])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o600))
}

func get(ts *testscript.TestScript, args []string) (code int, body []byte) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodGet, args[0], nil)
	ts.Check(err)
	if len(args) > 1 {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(ts.ReadFile(args[1])))
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	if len(args) > 2 {
		name, value, _ := strings.Cut(strings.TrimSpace(ts.ReadFile(args[2])), ": ")
		r.Header.Set(name, value)
	}
	resp, err := (&http.Client{Transport: transport}).Do(r)
	ts.Check(err)
	body, err = io.ReadAll(resp.Body)
	ts.Check(errors.Join(err, resp.Body.Close()))
	return resp.StatusCode, body
}
