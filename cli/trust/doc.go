// Package trust holds the commands that say who signs what: `juju trust` for the release
// managers, whose signed metadata says what machines may run, and `juju user` for the
// operators, who are part of that metadata.
//
// The metadata itself, its keys and its drafts are in package cli/signing; here is what the
// commands change in it.
package trust

import (
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// Commands are the commands of this family.
func Commands(a *app.App) []*cobra.Command {
	return []*cobra.Command{trustCommand(a), userCommand(a)}
}
