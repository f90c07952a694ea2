// Package version knows the versions of the server software: their text, their order,
// and which one an environment moves to next.
//
// A number is "1.25.1", "1.26-beta2" or "1.25.1.3"; a binary adds series and
// architecture. Source: Juju 1.25; the one difference is that the digits after a tag
// are a single number, so that alpha99 sorts below alpha100.
package version
