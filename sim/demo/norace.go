//go:build !race

package demo

// raceDetector says whether this program is built with the race detector. The demo builds jujud in
// the same way.
const raceDetector = false
