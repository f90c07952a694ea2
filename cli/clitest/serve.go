package clitest

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// serve DIR VARIABLE [BYTES] serves a directory over HTTP for as long as the script runs, and puts
// the URL into the variable. For every request for an archive it writes "PATH RANGE" into the file
// VARIABLE.log. With BYTES it breaks the connection after that many bytes of an archive.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: serve DIR VARIABLE [BYTES]")
	}
	limit := int64(1 << 62)
	if len(args) > 2 {
		var err error
		limit, err = strconv.ParseInt(args[2], 10, 64)
		ts.Check(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	files := http.FileServer(http.Dir(ts.MkAbs(args[0])))
	var mu sync.Mutex
	log, err := os.Create(ts.MkAbs(args[1] + ".log"))
	ts.Check(err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".tgz") {
			mu.Lock()
			fmt.Fprintln(log, r.URL.Path, r.Header.Get("Range"))
			mu.Unlock()
			w = &limited{w, limit}
		}
		files.ServeHTTP(w, r)
	})}
	go func() { _ = srv.Serve(l) }()
	ts.Defer(func() {
		_ = srv.Close()
		_ = log.Close()
	})
	ts.Setenv(args[1], "http://"+l.Addr().String())
}

// limited stops sending after some bytes, as a lost connection does.
type limited struct {
	http.ResponseWriter
	left int64
}

func (l *limited) Write(p []byte) (int, error) {
	n, err := l.ResponseWriter.Write(p[:min(int64(len(p)), l.left)])
	if l.left -= int64(n); err == nil && n < len(p) {
		panic(http.ErrAbortHandler)
	}
	return n, err
}
