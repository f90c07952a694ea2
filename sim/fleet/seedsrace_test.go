//go:build race

package fleet

// seeds is fewer with the race detector: a fleet is one goroutine, and there it is slow.
const seeds = 60
