// Package inspect holds the commands that only look: `juju status`, `juju audit` and `juju
// version`. They ask for nothing to be done.
//
// Packages projections/status and projections/audit decide what a status or an audit says of a
// log. This package opens the log, over a connection or, if nothing answers, as a copy on this
// host, and writes what they say.
package inspect

import (
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// Commands are the commands of this family.
func Commands(a *app.App) []*cobra.Command {
	reader := func() *reader { return newReader(a) }
	return []*cobra.Command{(&showStatus{reader: reader()}).command(), auditCommand(reader), (&showVersion{app: a}).command()}
}
