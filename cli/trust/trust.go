package trust

import (
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/signing"
)

// trustCommand is the group `juju trust`.
func trustCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use: "trust", Short: "Say who signs what runs in the environment",
		Long: `Machines run only what this environment's release managers have signed. What they sign is
metadata of TUF, The Update Framework: the root says whose keys count, the targets name every
archive, the operators, the floor and what is revoked. The state server only says how fresh
that is; it cannot add anything.

Bootstrap makes one key for the root and one for the targets, which this client keeps in
JUJU_DATA/trust/NAME/keys. That is enough for one person. To let two of three sign:

  juju trust init --anchor SHA256                each colleague, once; prints his public keys
  juju trust add-key root KEY KEY --threshold 2
  juju trust add-key targets KEY KEY --threshold 2

From then on a change is kept as a draft until enough have signed: juju trust export FILE,
and a colleague runs juju trust sign FILE. Nothing is ever fetched to sign: files travel as
well over an air gap.

Each command shows what it signs before it signs it. What you did not type, such as the draft of
a colleague, it asks about; --yes skips that question.`,
		Example: "  juju trust status\n  juju trust rotate targets\n  juju trust revoke artefact SHA256",
	}
	cmd.AddCommand((&initKeys{app: a}).command(), (&status{app: a}).command(), (&addKey{app: a}).command(), (&removeKey{app: a}).command(),
		(&rotate{app: a}).command(), (&sign{app: a}).command(), (&export{app: a}).command(), (&revoke{app: a}).command(),
		(&floor{app: a}).command(), (&quorum{app: a}).command(), (&logKey{app: a}).command(), (&publishers{app: a}).command())
	signing.YesFlag(cmd.PersistentFlags(), a)
	return cmd
}
