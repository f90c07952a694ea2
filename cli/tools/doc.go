// Package tools holds the commands that bring server software to where it is needed:
// `juju sync-tools` into the store of an environment or into a directory, and `juju
// metadata` for whoever publishes trees of tools.
//
// How a tree is laid out, signed and read is in package streams; who is believed of a tree,
// and with which keys this client signs, is in package cli/signing.
//
// A copy that is cut off leaves nothing visible in the store, and a download is kept: the
// same command goes on where it stopped.
package tools

import (
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// Commands are the commands of this family.
func Commands(a *app.App) []*cobra.Command {
	return []*cobra.Command{(&syncTools{app: a}).command(), metadataCommand(a)}
}
