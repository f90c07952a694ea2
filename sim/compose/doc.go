// Package compose holds the test of an environment of containers. It needs a Docker
// engine, so it is built with the tag compose only: make compose-test.
package compose
