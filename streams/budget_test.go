package streams_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/streams"
)

// mirror serves a tree in which some paths are somebody else's, and remembers what was asked for.
type mirror struct {
	http.Handler
	mu    sync.Mutex
	asked []string
	own   map[string]func(w io.Writer, r *http.Request)
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.asked = append(m.asked, filepath.Base(r.URL.Path))
	m.mu.Unlock()
	if send := m.own[filepath.Base(r.URL.Path)]; send != nil {
		send(w, r)
		return
	}
	m.Handler.ServeHTTP(w, r)
}

// blanks sends blanks until nobody reads any more. Behind JSON they change nothing of its meaning.
func blanks(w io.Writer, r *http.Request) {
	for blank := bytes.Repeat([]byte(" "), 1<<20); r.Context().Err() == nil; {
		_, _ = w.Write(blank)
	}
}

// What is not as it was signed is not parsed, and what lies behind it is not asked for. Of a signed file no more
// bytes are read than were signed.
func TestB18AMirrorIsReadUpToItsFirstBadSignature(t *testing.T) {
	index, products := filepath.Base(index), filepath.Base(products)
	big := func(w io.Writer, _ *http.Request) {
		_, _ = io.WriteString(w, `{"format":"index:1.0","index":{"a":{}`)
		_, _ = w.Write(bytes.Repeat([]byte(`,"k":{"products":[],"format":"x","path":"p"}`), 31<<20/45))
		_, _ = io.WriteString(w, "}}")
	}
	for name, c := range map[string]struct {
		own    map[string]func(io.Writer, *http.Request)
		want   error
		unread []string // what was not asked for
	}{
		"a bundle of millions of roots": {map[string]func(io.Writer, *http.Request){"trust.json": func(w io.Writer, _ *http.Request) {
			_, _ = io.WriteString(w, `{"roots":["AAAA"`+strings.Repeat(`,"AAAA"`, 15<<20/7)+`]}`)
		}}, tools.ErrSignature, []string{index, products}},
		"a bundle without an end": {map[string]func(io.Writer, *http.Request){"trust.json": blanks}, tools.ErrSignature, []string{index, products}},
		"an index of 31 MiB":      {map[string]func(io.Writer, *http.Request){index: big}, tools.ErrSignature, []string{products}},
		"products without an end": {map[string]func(io.Writer, *http.Request){products: blanks}, tools.ErrSignature, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := &mirror{Handler: http.FileServer(http.Dir(tree(t))), own: c.own}
			src, err := streams.Open(serve(t, m), trust(t))
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			l, err := src.List(t.Context(), "released")
			runtime.ReadMemStats(&after)
			if !errors.Is(err, c.want) || l.Found != nil {
				t.Errorf("listed %v with %v, want %v", l, err, c.want)
			}
			for _, path := range c.unread {
				if slices.Contains(m.asked, path) {
					t.Errorf("%s was asked for; all that was: %v", path, m.asked)
				}
			}
			// All that was allocated, the server's own included: 31 MiB of an index that is parsed take 350.
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 160 {
				t.Errorf("%d MiB were allocated", used)
			}
		})
	}
}

// An unsigned source, which an operator has allowed, is bounded by limits.MetadataBytes.
func TestMetadataAtItsLimit(t *testing.T) {
	for _, more := range []int{0, 1} {
		dir := tree(t)
		remove(trusted)(t, dir)
		b := read(t, dir, index)
		write(t, filepath.Join(dir, index), append(b, bytes.Repeat([]byte(" "), limits.MetadataBytes+more-len(b))...))
		allowed := trust(t)
		allowed.Unsigned = []string{dir}
		src, err := streams.Open(dir, allowed)
		if err != nil {
			t.Fatal(err)
		}
		l, err := src.List(t.Context(), "released")
		if more == 0 && (err != nil || names(l.Found) != three) {
			t.Errorf("at the limit it lists %q, %v", names(l.Found), err)
		}
		if want := fmt.Sprintf("more than %d bytes", limits.MetadataBytes); more > 0 && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("past the limit it lists %q, %v", names(l.Found), err)
		}
	}
}
