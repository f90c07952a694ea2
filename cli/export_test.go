package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// CommandPaths are the command lines that do something, without their arguments.
func CommandPaths() (paths []string) {
	each(bareRoot(), func(cmd *cobra.Command) {
		if !cmd.HasSubCommands() {
			paths = append(paths, strings.TrimPrefix(cmd.CommandPath(), "juju "))
		}
	})
	return paths
}
