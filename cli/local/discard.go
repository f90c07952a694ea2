package local

import (
	"os"

	"github.com/jujube-project/jujube/cli/app"
)

// Discard stops a machine on this host, removes its files and forgets it. What fails can be
// done again: a machine is forgotten last.
func Discard(store app.Store, env app.Environment, m app.Machine) error {
	if err := Stop(m.PID, m.Started); err != nil {
		return app.Fail(err, "The environment is still known; what was stopped stays stopped.", "juju destroy-environment "+env.Name)
	}
	if err := Remove(m.DataDir, env.UUID, m.ID); err != nil {
		return err
	}
	if err := store.Update(env.Name, func(e *app.Environment) { e.Drop(m.ID) }); err != nil {
		return err
	}
	_ = os.Remove(store.MachineDir(env.Name, "")) // when it was the last
	return nil
}
