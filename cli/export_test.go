package cli

import (
	"github.com/jujube-project/jujube/agent/launcher"
	"github.com/jujube-project/jujube/events/version"
)

// Hello is what a script damages.
const Hello = launcher.Hello

// PackTools lets scripts make archives the way --upload-tools does.
func PackTools(path, jujud string, v version.Binary) error {
	_, err := packTools(path, jujud, v)
	return err
}

// StopMachine ends a machine that juju started here, as destroy-environment would.
func StopMachine(data, name, id string) error {
	a := &App{Getenv: func(key string) string { return map[string]string{"JUJU_DATA": data}[key] }}
	env, err := a.loadEnvironment(name)
	if err != nil {
		return err
	}
	for _, m := range env.Machines {
		if m.ID == id {
			return stopProcess(m.PID, m.Started)
		}
	}
	return nil
}
