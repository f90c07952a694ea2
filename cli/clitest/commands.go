package clitest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jujube-project/jujube/agent/pipe"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
)

// capture VARIABLE REGEXP looks for REGEXP in what was printed last, and puts what its group
// matches into the variable.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture VARIABLE REGEXP")
	}
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("nothing that was printed is like %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// pack JUJUD VERSION DIR packs a jujud into an archive of the tree in DIR. The archive forces
// VERSION, whatever jujud says of itself.
func pack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: pack JUJUD VERSION DIR")
	}
	series, arch := host.Platform()
	n, err := version.Parse(args[1])
	ts.Check(err)
	v := version.Binary{Number: n, Series: series, Arch: arch}
	dir := filepath.Join(ts.MkAbs(args[2]), "tools", "released")
	ts.Check(os.MkdirAll(dir, 0o755))
	jujud, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	out, err := os.Create(filepath.Join(dir, tools.Tools{Version: v}.FileName()))
	ts.Check(err)
	force := n.String()
	ts.Check(archive.PackAt(gzip.BestSpeed, out,
		archive.File{Name: archive.Jujud, Size: int64(len(jujud)), Body: bytes.NewReader(jujud)},
		archive.File{Name: archive.ForceVersion, Size: int64(len(force)), Body: strings.NewReader(force)}))
	ts.Check(out.Close())
}

// damage FROM TO copies a jujud and overwrites the greeting with which it speaks to its
// launcher. The copy passes its self-test and fails its trial.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: damage FROM TO")
	}
	b, err := os.ReadFile(args[0])
	ts.Check(err)
	if n := strings.Count(string(b), pipe.Hello); n != 1 {
		ts.Fatalf("the greeting is %d times in %s", n, args[0])
	}
	bad := strings.Replace(string(b), pipe.Hello, fmt.Sprintf("%-*s", len(pipe.Hello), "damaged"), 1)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(bad), 0o755))
}

// listening VARIABLE listens on a port for as long as the script runs, and puts the port into
// the variable.
func listening(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listening VARIABLE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// freeport VARIABLE puts a port into the variable on which nobody listens at the moment.
func freeport(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport VARIABLE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(errors.Join(err, l.Close()))
	ts.Setenv(args[0], port)
}

// copydir FROM TO copies a directory with its modes and links.
func copyDir(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: copydir FROM TO")
	}
	ts.Check(exec.Command("cp", "-a", ts.MkAbs(args[0]), ts.MkAbs(args[1])).Run())
}
