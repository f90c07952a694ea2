// Package upgrade holds the commands that move an environment to another version:
// `juju upgrade-juju`, `juju approve`, and `juju upgrade-path`, which only looks
// ahead.
//
// Package events/version decides which version is chosen, and why. The state server decides
// whether the upgrade may begin. These commands gather what the choice depends on, say what will
// happen, ask, and show what follows.
package upgrade

import (
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// Commands are the commands of this family.
func Commands(a *app.App) []*cobra.Command {
	return []*cobra.Command{(&upgrade{app: a}).command(), (&approve{app: a}).command(), (&upgradePath{app: a}).command()}
}
