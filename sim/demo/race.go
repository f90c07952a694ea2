//go:build race

package demo

// raceDetector: the demo builds what it runs as it was built itself.
const raceDetector = true
