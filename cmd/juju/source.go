//go:build !packaged

package main

import (
	"github.com/jujube-project/jujube/cli"
	"github.com/jujube-project/jujube/sim/demo"
)

// extra are the commands that a juju from source has beside the client's.
var extra = []cli.Extra{demo.Command, demo.WorkloadCommand}
