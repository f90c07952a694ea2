//go:build !packaged

package main

import (
	"github.com/jujube-project/jujube/cli"
	"github.com/jujube-project/jujube/sim/demo"
)

// extra are the commands that only a juju built from source has. The build tag packaged leaves
// them out, and with them everything that they link.
var extra = []cli.Extra{demo.Command, demo.WorkloadCommand}
