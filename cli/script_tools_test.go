package cli_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// serve DIR VARIABLE [BYTES] serves a directory for as long as the script runs, and puts
// the URL into the variable. It writes "PATH RANGE" of every request for an archive into
// the file VARIABLE.log, and, with BYTES, sends no more than that many of it.
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

// badarchive FAULT VERSION DIR puts an archive into the tree in DIR that no packer of
// ours would make, and that generate-tools would not list.
func badArchive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: badarchive FAULT VERSION DIR")
	}
	series, arch := agent.HostPlatform()
	n, err := version.Parse(args[1])
	ts.Check(err)
	name := tools.Tools{Version: version.Binary{Number: n, Series: series, Arch: arch}}.FileName()
	path := filepath.Join(ts.MkAbs(args[2]), "tools", "released", name)
	good := tar.Header{Name: "jujud", Typeflag: tar.TypeReg, Size: 5}
	headers, known := map[string][]tar.Header{
		"nojujud": {{Name: "FORCE-VERSION", Typeflag: tar.TypeReg, Size: 5}},
		"escapes": {good, {Name: "../../x", Typeflag: tar.TypeReg, Size: 5}},
		"link":    {{Name: "jujud", Typeflag: tar.TypeSymlink, Linkname: "/bin/sh"}},
		"device":  {{Name: "jujud", Typeflag: tar.TypeBlock}},
		"bomb":    {{Name: "jujud", Typeflag: tar.TypeReg, Size: 3 << 30}},
		"name":    {good, {Name: "FORCE-VERSION", Typeflag: tar.TypeReg, Size: 5}},
		"empty":   {},
	}[args[0]]
	if !known {
		ts.Fatalf("there is no fault %q", args[0])
	}
	ts.Check(os.WriteFile(path, packBad(ts, headers), 0o644))
}

// packBad writes five bytes for every file, "9.9.9", whatever the header promises.
func packBad(ts *testscript.TestScript, headers []tar.Header) []byte {
	var b bytes.Buffer
	if len(headers) == 0 {
		return nil
	}
	zipped := gzip.NewWriter(&b)
	out := tar.NewWriter(zipped)
	for _, h := range headers {
		ts.Check(out.WriteHeader(&h))
		if h.Size > 0 {
			_, err := io.WriteString(out, "9.9.9")
			ts.Check(err)
		}
	}
	_ = out.Flush()
	ts.Check(zipped.Close())
	return b.Bytes()
}
