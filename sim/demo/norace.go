//go:build !race

package demo

// raceDetector says whether this program has the race detector. The demo builds jujud likewise.
const raceDetector = false
