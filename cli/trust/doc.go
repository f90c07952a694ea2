// Package trust holds the commands that say who signs what: `juju trust` for the release
// managers, whose signed metadata says what machines may run, and `juju user` for the
// operators, who are part of that metadata.
//
// What the metadata is, where its keys and drafts lie and how it is published is in package
// cli/signing. This package has what each command changes in it.
package trust

import (
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// Commands are the commands of this family.
func Commands(a *app.App) []*cobra.Command {
	return []*cobra.Command{trustCommand(a), userCommand(a)}
}
