package streams_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/streams"
)

var now = time.Date(2015, 9, 15, 12, 0, 0, 0, time.UTC)

// put writes a good archive to DIR/where/juju-BINARY.tgz.
func put(t *testing.T, dir, where, binary, content string) string {
	t.Helper()
	var b bytes.Buffer
	if err := archive.Pack(&b, archive.File{Name: "jujud", Size: int64(len(content)), Body: strings.NewReader(content)}); err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(dir, where, "juju-"+binary+".tgz"), b.Bytes())
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, b, 0o644)); err != nil {
		t.Fatal(err)
	}
	return name
}

func generate(t *testing.T, dir string, clean bool, at time.Time) streams.Generated {
	t.Helper()
	g, err := streams.Generate(dir, plan(t, "released", clean, at))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func tree(t *testing.T) string {
	dir := t.TempDir()
	put(t, dir, "tools/released", "1.25.0-trusty-amd64", "first")
	put(t, dir, "tools", "1.25.1-trusty-amd64", "second")
	put(t, dir, "", "1.25.1-trusty-arm64", "third")
	if g := generate(t, dir, false, now); g.Copied != 2 || !g.Changed || len(g.Found) != 3 {
		t.Fatalf("generated %+v", g)
	}
	return dir
}

func names(found []streams.Found) string {
	var words []string
	for _, f := range found {
		words = append(words, f.Path)
	}
	return strings.Join(words, " ")
}

const three = "released/juju-1.25.0-trusty-amd64.tgz released/juju-1.25.1-trusty-amd64.tgz released/juju-1.25.1-trusty-arm64.tgz"

func TestGenerateIsIdempotent(t *testing.T) {
	dir := tree(t)
	for _, clean := range []bool{false, true} {
		if g := generate(t, dir, clean, now.AddDate(0, 0, 3)); g.Changed || names(g.Found) != three {
			t.Fatalf("again, clean %v: %+v", clean, g)
		}
	}
	if faults := streams.Validate(dir, "released", trust(t)); faults != nil {
		t.Fatal(faults)
	}
	if _, err := streams.Generate(dir, plan(t, "devel", false, now)); err != nil {
		t.Fatal(err)
	}
	generate(t, dir, true, now)
	if faults := streams.Validate(dir, "devel", trust(t)); len(faults) != 1 || !strings.Contains(faults[0].Error(), `no stream "devel", but released`) {
		t.Fatalf("after cleaning, devel has %v", faults)
	}
}

func TestMarksSurviveRefreshing(t *testing.T) {
	dir := tree(t)
	name := filepath.Join(dir, "tools/streams/v1/com.ubuntu.juju-released-tools.json")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	write(t, name, bytes.Replace(b, []byte(`"version": "1.25.0",`), []byte(`"version": "1.25.0", "revoked": "eats data",`), 1))
	put(t, dir, "", "1.25.2-trusty-amd64", "fourth")
	if g := generate(t, dir, false, now); !g.Changed || g.Found[0].Revoked != "eats data" {
		t.Fatalf("refreshed %+v", g)
	}
}

func TestGenerateRefusesAndWritesNothing(t *testing.T) {
	for want, spoil := range map[string]func(dir string){
		"bad archive":   func(dir string) { write(t, filepath.Join(dir, "juju-1.25.2-trusty-amd64.tgz"), []byte("junk")) },
		"the name is":   func(dir string) { put(t, dir, "", "1.25-trusty-amd64", "x") },
		"differ":        func(dir string) { put(t, dir, "", "1.25.0-trusty-amd64", "other") },
		"bad simplestr": func(dir string) { write(t, filepath.Join(dir, "tools/streams/v1/index2.json"), []byte("{}")) },
	} {
		dir := tree(t)
		put(t, dir, "", "1.26.0-trusty-amd64", "new")
		spoil(dir)
		_, err := streams.Generate(dir, plan(t, "released", false, now))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "nothing was written") {
			t.Errorf("generate says %v, want %q", err, want)
		}
		if _, err := os.Stat(filepath.Join(dir, "tools/released/juju-1.26.0-trusty-amd64.tgz")); err == nil {
			t.Errorf("%s: something was copied", want)
		}
	}
	if _, err := streams.Generate(tree(t), plan(t, "../x", false, now)); err == nil || !strings.Contains(err.Error(), "lower-case word") {
		t.Errorf("a stream that leaves the tree: %v", err)
	}
	if _, err := streams.Generate(t.TempDir(), plan(t, "released", false, now)); err == nil || !strings.Contains(err.Error(), "there is no archive") {
		t.Errorf("an empty directory: %v", err)
	}
}

func TestValidateNamesEveryFault(t *testing.T) {
	dir := tree(t)
	put(t, dir, "", "1.25.2-warty-amd64", "x")
	generate(t, dir, false, now)
	released := filepath.Join(dir, "tools/released")
	write(t, filepath.Join(released, "juju-1.25.0-trusty-amd64.tgz"), []byte("junk"))
	if err := os.Remove(filepath.Join(released, "juju-1.25.1-trusty-amd64.tgz")); err != nil {
		t.Fatal(err)
	}
	all := errors.Join(streams.Validate(dir, "released", trust(t))...).Error()
	for _, want := range []string{"wrong size", "wrong hash", "bad archive", "1.25.1-trusty-amd64.tgz: missing file", `unknown series "warty"`} {
		if !strings.Contains(all, want) {
			t.Errorf("the faults lack %q:\n%s", want, all)
		}
	}
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// Each way to name the same tree lists and fetches the same.
func TestSources(t *testing.T) {
	dir := tree(t)
	url := serve(t, http.FileServer(http.Dir(dir)))
	whole := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // knows no ranges
		r.Header.Del("Range")
		http.FileServer(http.Dir(dir)).ServeHTTP(w, r)
	}))
	for _, base := range []string{dir, filepath.Join(dir, "tools"), "file://" + dir, url, url + "/", url + "/tools", whole} {
		src, err := streams.Open(base, trust(t))
		if err != nil {
			t.Fatal(err)
		}
		listing, err := src.List(t.Context(), "released")
		found := listing.Found
		if err != nil || names(found) != three {
			t.Fatalf("%s lists %q, %v", base, names(found), err)
		}
		want, err := os.ReadFile(filepath.Join(dir, "tools", found[1].Path))
		if err != nil {
			t.Fatal(err)
		}
		for _, offset := range []int64{0, 7, found[1].Size} {
			if got, err := fetch(t.Context(), src, found[1], offset); err != nil || !bytes.Equal(got, want[offset:]) {
				t.Errorf("%s from %d on: %d bytes, %v", base, offset, len(got), err)
			}
		}
	}
}

func fetch(ctx context.Context, src streams.Source, f streams.Found, offset int64) ([]byte, error) {
	body, err := src.Fetch(ctx, f, offset)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(body)
	return b, errors.Join(err, body.Close())
}

func TestBadSourcesAreRefused(t *testing.T) {
	for _, base := range []string{"ftp://host/tools", "http://", "https://host/?q", filepath.Join(t.TempDir(), "nowhere")} {
		if _, err := streams.Open(base, trust(t)); !errors.Is(err, streams.ErrSource) {
			t.Errorf("%s opens: %v", base, err)
		}
	}
	endless := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) }
	broken := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }
	junk := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }
	for want, h := range map[string]http.HandlerFunc{
		"redirects": endless, "500": broken, "404": http.NotFound, "its signature does not fit": junk,
	} {
		src, err := streams.Open(serve(t, h), trust(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = src.List(t.Context(), "released"); !errors.Is(err, streams.ErrSource) || !strings.Contains(err.Error(), want) {
			t.Errorf("listed with %v, want %q", err, want)
		}
	}
}

// A server that shows a certificate of nobody who is known is not listened to, and from one
// that is known nothing leads to one without any.
func TestTLSIsVerifiedAndNotLeft(t *testing.T) {
	srv := httptest.NewTLSServer(http.FileServer(http.Dir(tree(t))))
	t.Cleanup(srv.Close)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	src, err := streams.Open(srv.URL, trust(t))
	if err != nil {
		t.Fatal(err)
	}
	var unknown x509.UnknownAuthorityError
	if _, err := src.List(t.Context(), "released"); !errors.As(err, &unknown) {
		t.Errorf("listed with %v", err)
	}
	request := func(url string) *http.Request { return httptest.NewRequest(http.MethodGet, url, nil) }
	for next, want := range map[string]bool{"https://b/x": true, "http://b/x": false} {
		if err := streams.CheckRedirect(request(next), []*http.Request{request("https://a/x")}); (err == nil) != want {
			t.Errorf("from https to %s: %v", next, err)
		}
	}
}

func TestAnArchiveOfAnotherLengthIsRefused(t *testing.T) {
	dir := tree(t)
	for _, base := range []string{dir, serve(t, http.FileServer(http.Dir(dir)))} {
		src, err := streams.Open(base, trust(t))
		if err != nil {
			t.Fatal(err)
		}
		listing, err := src.List(t.Context(), "released")
		found := listing.Found
		if err != nil {
			t.Fatal(err)
		}
		long, short := found[0], found[0]
		long.Size++
		short.Size--
		if _, err := fetch(t.Context(), src, long, 0); !errors.Is(err, streams.ErrSource) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: a short archive is read with %v", base, err)
		}
		if _, err := fetch(t.Context(), src, short, 0); !errors.Is(err, streams.ErrSource) || !strings.Contains(err.Error(), "longer than") {
			t.Errorf("%s: a long archive is read with %v", base, err)
		}
	}
}

// A source that is silent, that trickles, or that never ends is left.
func TestASourceThatDoesNotEndIsLeft(t *testing.T) {
	for name, c := range map[string]struct {
		send func(w http.ResponseWriter, r *http.Request)
		want string
	}{
		"silent": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "came for"},
		"trickling": {func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				<-tick.C
			}
		}, "came for"},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			for blank := bytes.Repeat([]byte(" "), 1<<20); r.Context().Err() == nil; {
				_, _ = w.Write(blank)
			}
		}, "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			done := make(chan struct{})
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(done)
				_, _ = io.WriteString(w, "{")
				_ = http.NewResponseController(w).Flush()
				c.send(w, r)
			}))
			src, err := streams.OpenStalling(url, 50*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = src.List(t.Context(), "released"); !errors.Is(err, streams.ErrSource) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("listed with %v", err)
			}
			<-done
		})
	}
}
