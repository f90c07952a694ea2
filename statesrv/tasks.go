package statesrv

import "sync"

// tasks are the goroutines of a term. The zero value has none.
type tasks struct {
	mu   sync.Mutex
	over bool
	all  sync.WaitGroup
}

// spawn runs f as part of the term; after its end it runs nothing.
func (t *tasks) spawn(f func()) {
	t.mu.Lock() // so that nothing is added to all while end waits for it
	defer t.mu.Unlock()
	if !t.over {
		t.all.Go(f)
	}
}

// end waits for what was spawned. The term's context must have ended.
func (t *tasks) end() {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.all.Wait()
}
