package statesrv_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// However many ask what the sources have, a source is asked by one at a time, and the others share what it says.
func TestB18OneLookAtASourceIsSharedByAll(t *testing.T) {
	const questions = 40 // of eight askers: of one as many are not answered at once
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
	var askers [8]*bus.Conn
	var operators []events.Operator
	for i := range askers {
		askers[i] = p.bus.Operator(fmt.Sprintf("bob%d", i))
		operators = append(operators, events.Operator{
			Name: fmt.Sprintf("bob%d", i), Key: askers[i].Public(), Grants: []events.Grant{{Role: events.RoleRead}},
		})
	}
	p.with(operators...)
	p.start(from(t, srv.URL))
	var asking, asked sync.WaitGroup
	asking.Add(questions)
	for n := range questions {
		asked.Go(func() {
			asking.Done()
			c, err := wire.Tools.Ask(t.Context(), askers[n%len(askers)], wire.WithSources)
			if err != nil || len(c.Sources) != 1 || len(c.Sources[0].Tools) != 1 {
				t.Errorf("the catalogue is %+v, %v", c, err)
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
	if most.Load() > 1 || looks.Load() > questions {
		t.Errorf("%d questions read the metadata %d times, %d of them at the same time", questions, looks.Load(), most.Load())
	}
}
