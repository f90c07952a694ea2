//go:build !race

package fleet

// seeds is how many small fleets are played; make soak plays more, and large ones.
const seeds = 300
