// Package demo is `juju demo`: a story of one environment, played with real processes. Every claim
// that the story makes is checked. The command is in a juju that is built from source. The client
// that people install does not have it: cmd/juju leaves it out with the build tag "packaged".
//
// The demo runs the juju that it is part of, as a person would, and reads what juju prints. It
// knows no more of an environment than what commands show.
package demo
