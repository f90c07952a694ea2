// Package demo is `juju demo`: a story of one environment, played with real processes, whose
// every claim is checked. It is a command of juju as it is built from source, and no part of
// the client that people install: cmd/juju leaves it out of a build with the tag "packaged".
//
// The demo runs the program that it is part of, as a person would, and looks at what that
// prints. It knows no more of an environment than what commands show.
package demo
