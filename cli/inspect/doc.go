// Package inspect holds the commands that only look: `juju status`, `juju audit` and `juju
// version`. They ask for nothing to be done.
//
// What a status or an audit says of a log is decided by packages projections/status and
// projections/audit; here it is read, over a connection or, when nothing answers, from a copy
// of the log on this host, and written.
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
