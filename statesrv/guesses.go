package statesrv

import (
	"sync"
	"time"
)

// Limits on guessing the secret of a join token.
const (
	maxGuesses = 5           // wrong tokens for a machine within guessTime, until nobody enrols as it
	guessTime  = time.Minute // and for how long nobody does
)

// guesses counts wrong tokens by machine. It is memory only: a secret has 256 bits, and
// what matters is that somebody who tries is slow and noticed.
type guesses struct {
	mu    sync.Mutex
	since map[string]time.Time // of the first of those that count
	n     map[string]int
}

func newGuesses() *guesses {
	return &guesses{since: map[string]time.Time{}, n: map[string]int{}}
}

// wrong counts one. locks says whether it was the one after which nobody enrols as that
// machine before until.
func (g *guesses) wrong(machine string, now time.Time) (until time.Time, locks bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(machine, now)
	if g.n[machine] == 0 {
		g.since[machine] = now
	}
	if g.n[machine]++; g.n[machine] != maxGuesses {
		return time.Time{}, false
	}
	g.since[machine] = now
	return now.Add(guessTime), true
}

// locked is until when nobody may enrol as that machine; zero: now.
func (g *guesses) locked(machine string, now time.Time) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(machine, now)
	if g.n[machine] < maxGuesses {
		return time.Time{}
	}
	return g.since[machine].Add(guessTime)
}

func (g *guesses) forget(machine string, now time.Time) {
	if now.Sub(g.since[machine]) >= guessTime {
		delete(g.since, machine)
		delete(g.n, machine)
	}
}
