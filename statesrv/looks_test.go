package statesrv_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jujube-project/jujube/events/wire"
)

// However many ask what the sources have, a source is asked by one at a time, and the others share what it says.
func TestB18OneLookAtASourceIsSharedByAll(t *testing.T) {
	const questions = 40
	p := newPlace(t)
	next, data := packed(t, "1.25.1", "new jujud")
	dir, _ := tree(t, next, data)
	var looks, now, most atomic.Int64
	opened := make(chan struct{})
	files := http.FileServer(http.Dir(dir))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "trust.json") {
			looks.Add(1)
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			<-opened
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	p.start(from(t, srv.URL))
	var asking, asked sync.WaitGroup
	asking.Add(questions)
	for range questions {
		asked.Go(func() {
			var c wire.Catalogue
			asking.Done()
			p.query("tools", nil, &c)
			if len(c.Sources) != 1 || len(c.Sources[0].Tools) != 1 {
				t.Errorf("the catalogue is %+v", c)
			}
		})
	}
	asking.Wait()
	for n := 0; n < 20 || looks.Load() == 0; n++ { // meanwhile the questions come in; the look at the term's start waits
		var v wire.Running
		p.query("version", nil, &v)
	}
	close(opened)
	asked.Wait()
	if most.Load() > 1 || looks.Load() > questions/2 {
		t.Errorf("%d questions made %d looks, %d of them at the same time", questions, looks.Load(), most.Load())
	}
}
