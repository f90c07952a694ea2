package cli

import (
	"errors"

	"github.com/jujube-project/jujube/agent/pipe"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
)

// Hello is what a script damages.
const Hello = pipe.Hello

// StopMachine ends a machine that juju started here, as destroy-environment would.
func StopMachine(data, name, id string) error {
	m, err := localMachine(data, name, id)
	if err != nil {
		return err
	}
	return local.Stop(m.PID, m.Started)
}

// MachinePID is the launcher's process.
func MachinePID(data, name, id string) (int, error) {
	m, err := localMachine(data, name, id)
	return m.PID, err
}

func localMachine(data, name, id string) (app.Machine, error) {
	a := &app.App{Getenv: func(key string) string { return map[string]string{"JUJU_DATA": data}[key] }}
	env, err := a.Store().Load(name)
	for _, m := range env.Machines {
		if m.ID == id {
			return m, nil
		}
	}
	return app.Machine{}, errors.Join(err, errors.New("no such machine here"))
}

// EnvironmentURL is where juju looks for an environment.
func EnvironmentURL(data, name string) (string, error) {
	a := &app.App{Getenv: func(key string) string { return map[string]string{"JUJU_DATA": data}[key] }}
	env, err := a.Store().Load(name)
	if err != nil {
		return "", err
	}
	return env.URLs[0], nil
}
