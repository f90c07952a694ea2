package statesrv

import "sync"

// tasks are the goroutines of a term. The term ends only after all of them have ended. The zero
// value has none.
type tasks struct {
	mu   sync.Mutex // guards over, and holds back Go while end is about to Wait
	over bool       // end was called
	all  sync.WaitGroup
}

// spawn runs f in a goroutine of the term. After the term's end it does nothing. The lock is held
// while the goroutine is counted: a WaitGroup must not grow from zero while somebody waits for it.
func (t *tasks) spawn(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		t.all.Go(f)
	}
}

// end waits until every goroutine of the term has ended. The term's context must have ended before:
// that is what makes them end.
func (t *tasks) end() {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.all.Wait()
}
