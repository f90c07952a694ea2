package decide

import (
	"time"

	"github.com/jujube-project/jujube/events"
)

// Limits on guessing the secret of a join token.
const (
	maxGuesses = 5           // wrong tokens for a machine within guessTime, until nobody enrols as it
	guessTime  = time.Minute // and for how long nobody does
)

// Guesses counts wrong tokens by machine. It is memory only: a secret has 256 bits, and what
// matters is that somebody who tries is slow and noticed. The zero value has counted none.
// It has no lock: whoever shares it locks it.
type Guesses struct{ wrong map[string]guessed }

// guessed are the wrong tokens for one machine.
type guessed struct {
	since time.Time // of the first of those that count
	n     int
}

// Wrong counts one. alarm is what to record when it was the one after which nobody enrols as
// that machine for a while; else nil.
func (g *Guesses) Wrong(machine string, now time.Time) (alarm *events.TokenGuessed) {
	w := g.now(machine, now)
	if w.n == 0 {
		w.since = now
	}
	w.n++
	if w.n == maxGuesses {
		w.since = now
		alarm = &events.TokenGuessed{Machine: machine, Tries: maxGuesses, Until: now.Add(guessTime)}
	}
	if g.wrong == nil {
		g.wrong = map[string]guessed{}
	}
	g.wrong[machine] = w
	return alarm
}

// Locked refuses an enrolment as a machine for which there were too many wrong tokens; nil:
// anybody may try.
func (g *Guesses) Locked(machine string, now time.Time) *events.Reason {
	w := g.now(machine, now)
	if w.n < maxGuesses {
		return nil
	}
	return events.Refuse(codeTokenLocked, "there were too many wrong tokens for machine %s; nobody enrols as it before %s",
		machine, w.since.Add(guessTime).UTC().Format(time.RFC3339))
}

// now are the wrong tokens that still count.
func (g *Guesses) now(machine string, now time.Time) guessed {
	w := g.wrong[machine]
	if now.Sub(w.since) >= guessTime {
		delete(g.wrong, machine)
		return guessed{}
	}
	return w
}

// TokenGuessed records that somebody guesses at a machine's token.
func TokenGuessed(alarm *events.TokenGuessed) Decision { return facts(alarm) }
