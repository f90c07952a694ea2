// Package version knows the versions of the server software: their text, their order,
// and which one an environment moves to next.
//
// Three words:
//
//   - a Number is the version itself: "1.25.1", "1.26-beta2" or "1.25.1.3";
//   - a Binary is one build of it: a number with series and architecture, "1.25.1-trusty-amd64";
//   - a Candidate is a number that is published, with what its publisher says of it.
//
// Use:
//
//	answer := version.Choose(version.Question{Candidates: published, Current: runs, Client: own, Platforms: inUse})
//	way := version.Path(question) // every hop up to the newest version that can be reached
//
// Source: Juju 1.25. There is one difference: the digits after a tag are one number, so that
// alpha99 is older than alpha100.
package version
