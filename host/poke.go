package host

// Poke wakes one loop that waits for it: a channel that holds one token. Poking never
// blocks, and pokes that come before the loop looks are one. What there is to do is kept
// elsewhere, and is kept before the poke: the loop that takes the token then sees it.
//
//	for range p { … }  // or: case <-p:
type Poke chan struct{}

// NewPoke makes one without a token. The nil Poke wakes nobody.
func NewPoke() Poke { return make(Poke, 1) }

// Send leaves the token, unless it lies there already.
func (p Poke) Send() {
	select {
	case p <- struct{}{}:
	default:
	}
}
