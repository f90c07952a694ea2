package fleet

import (
	"fmt"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// behaviour is what a release is like.
type behaviour string

// The behaviours of releases. Reports of a run show these names.
const (
	good          behaviour = "good"
	cannotRun     behaviour = "cannot run" // the self-test fails
	liar          behaviour = "says another version"
	deaf          behaviour = "cannot connect"  // shown by the self-test
	deafLater     behaviour = "deaf in service" // it can connect in the self-test only
	crashes       behaviour = "crashes"         // at once
	crashesLater  behaviour = "crashes in the window"
	crashesAlways behaviour = "crashes after half a minute" // of every start, also when it was kept
	fickle        behaviour = "crashes sometimes"
	hangs         behaviour = "hangs"
	damaged       behaviour = "damaged archive"
	stepFails     behaviour = "a step fails at first"
	stepStuck     behaviour = "a step fails for ever"
	bridge        behaviour = "burns the bridge" // a step that cannot be undone
	bridgeCrashes behaviour = "burns the bridge and crashes"
)

// badly are the behaviours of bad releases, of which a run draws.
var badly = []behaviour{
	cannotRun, liar, deaf, deafLater, crashes, crashesLater, crashesAlways, fickle, hangs, damaged, stepFails, stepStuck, bridge, bridgeCrashes,
}

// release is one version and its behaviour.
type release struct {
	tools.Tools
	is behaviour
}

// burns says whether one of the release's upgrade steps cannot be undone.
func (r *release) burns() bool { return r.is == bridge || r.is == bridgeCrashes }

func binary(patch int) version.Binary {
	n := version.Number{Major: 1, Minor: 25, Patch: patch}
	if patch < 0 {
		n = version.Number{Major: 1, Minor: 24}
	}
	return version.Binary{Number: n, Series: "trusty", Arch: "amd64"}
}

// newRelease is 1.25.PATCH; 1.24.0 for patch -1.
func newRelease(patch int, is behaviour) *release {
	return &release{tools.Tools{Version: binary(patch), Size: 1 << 20, SHA256: fmt.Sprintf("%064x", patch+2)}, is}
}
