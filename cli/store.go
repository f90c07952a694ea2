package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
)

// environment is what this client knows of one: JUJU_DATA/environments/NAME.yaml.
type environment struct {
	Name     string    `yaml:"name"`
	UUID     string    `yaml:"uuid"`
	Operator string    `yaml:"operator"`
	URLs     []string  `yaml:"urls"`               // none while its bootstrap is not finished
	Machines []machine `yaml:"machines,omitempty"` // those whose files this client made on this host
}

// machine is a local machine: which process runs it and where its files are.
type machine struct {
	ID      string `yaml:"id"`
	DataDir string `yaml:"data_dir"`
	PID     int    `yaml:"pid,omitempty"`           // 0: this client did not start it
	Started uint64 `yaml:"started_ticks,omitempty"` // of the process: a reused PID has another
}

// localStateServer is the data directory of machine 0 when it is on this host.
func (e environment) localStateServer() string {
	for _, m := range e.Machines {
		if m.ID == "0" {
			return m.DataDir
		}
	}
	return ""
}

// put notes a local machine, in place of what was noted of it before.
func (e *environment) put(m machine) {
	e.drop(m.ID)
	e.Machines = append(e.Machines, m)
}

func (e *environment) drop(id string) {
	e.Machines = slices.DeleteFunc(e.Machines, func(m machine) bool { return m.ID == id })
}

// data is the client's directory, absolute: what is noted in it is used from anywhere.
func (a *App) data() string {
	dir := a.Getenv("JUJU_DATA")
	if dir == "" {
		home := a.Getenv("HOME")
		if u, err := user.Current(); home == "" && err == nil {
			home = u.HomeDir
		}
		dir = filepath.Join(home, ".local", "share", "juju")
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return dir
}

func (a *App) environmentFile(name string) string {
	return filepath.Join(a.data(), "environments", name+".yaml")
}

func (a *App) credentialsFile(name string) string {
	return filepath.Join(a.data(), "credentials", name+".creds")
}

// authoritiesFile holds the certificates of the authorities that this client believes.
func (a *App) authoritiesFile(name string) string {
	return filepath.Join(a.data(), "credentials", name+".ca.pem")
}

// logKeysFile holds the public log keys that this client believes, one a line.
func (a *App) logKeysFile(name string) string {
	return filepath.Join(a.data(), "credentials", name+".log-keys")
}

// pinLogKey notes whose checkpoints of the log are believed.
func (a *App) pinLogKey(name, public string) error {
	if err := os.MkdirAll(filepath.Dir(a.logKeysFile(name)), 0o700); err != nil {
		return fmt.Errorf("pin the log key: %w", err)
	}
	return install.WriteFile(a.logKeysFile(name), []byte(public+"\n"))
}

func (a *App) currentFile() string { return filepath.Join(a.data(), "current-environment") }

// machineDir is where a machine of an environment lies on this host, if nothing else was
// said.
func (a *App) machineDir(name, id string) string {
	return filepath.Join(a.data(), "machines", name, id)
}

// chosen is the environment that a command works on: -e, else $JUJU_ENV, else the
// current one.
func (a *App) chosen() (environment, error) {
	name := a.chosenName()
	if name == "" {
		return environment{}, fail(errors.New("no environment was named, and none is current"), "",
			"juju bootstrap, or juju switch NAME, or -e NAME")
	}
	return a.loadEnvironment(name)
}

func (a *App) chosenName() string {
	for _, name := range []string{a.environment, a.Getenv("JUJU_ENV")} {
		if name != "" {
			return name
		}
	}
	return a.current()
}

func (a *App) current() string {
	b, err := os.ReadFile(a.currentFile())
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func (a *App) makeCurrent(name string) error {
	return install.WriteFile(a.currentFile(), []byte(name+"\n"))
}

func (a *App) loadEnvironment(name string) (environment, error) {
	var e environment
	if !events.IsID(name) {
		return e, fail(fmt.Errorf("%q is no name of an environment", name), "", "juju environments lists them")
	}
	b, err := os.ReadFile(a.environmentFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return e, fail(fmt.Errorf("there is no environment %q here", name), "", "juju environments lists them; juju bootstrap "+name+" makes it")
	}
	if err == nil {
		err = yaml.Unmarshal(b, &e)
	}
	if err == nil && (e.Name != name || e.UUID == "") {
		err = errors.New("its name or its uuid is missing, or it is another environment's")
	}
	if err != nil {
		return e, fail(fmt.Errorf("read %s: %w", a.environmentFile(name), err), "Nothing was changed.", "mend the file, or put back a copy of it")
	}
	return e, nil
}

func (a *App) saveEnvironment(e environment) error {
	b, err := yaml.Marshal(e)
	if err != nil {
		return fmt.Errorf("write environment %s: %w", e.Name, err)
	}
	if err := os.MkdirAll(filepath.Dir(a.environmentFile(e.Name)), 0o700); err != nil {
		return fmt.Errorf("write environment %s: %w", e.Name, err)
	}
	return install.WriteFile(a.environmentFile(e.Name), b)
}

// addEnvironment notes a new environment. Of two clients that make one of the same name
// at the same time, the second gets fs.ErrExist.
func (a *App) addEnvironment(e environment) error {
	unlock, err := a.lockStore()
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(a.environmentFile(e.Name)); err == nil {
		return fmt.Errorf("note environment %s: %w", e.Name, fs.ErrExist)
	}
	return a.saveEnvironment(e)
}

// updateEnvironment changes what is noted of an environment, as it is at that moment:
// another client may have changed it since it was read.
func (a *App) updateEnvironment(name string, change func(*environment)) error {
	unlock, err := a.lockStore()
	if err != nil {
		return err
	}
	defer unlock()
	e, err := a.loadEnvironment(name)
	if err != nil {
		return err
	}
	change(&e)
	return a.saveEnvironment(e)
}

// lockStore keeps other clients from writing until unlock; the kernel gives the lock
// back when the process ends, however it does.
func (a *App) lockStore() (unlock func(), err error) {
	if err := os.MkdirAll(a.data(), 0o700); err != nil {
		return nil, fmt.Errorf("lock %s: %w", a.data(), err)
	}
	f, err := os.OpenFile(filepath.Join(a.data(), "lock"), os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", a.data(), err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", a.data(), errors.Join(err, f.Close()))
	}
	return func() { _ = f.Close() }, nil
}

func (a *App) saveCredentials(name string, c bus.Credentials) error {
	if err := os.MkdirAll(filepath.Dir(a.credentialsFile(name)), 0o700); err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	return c.Save(a.credentialsFile(name))
}

// names are the environments that this client knows, sorted.
func (a *App) names() ([]string, error) {
	files, err := filepath.Glob(filepath.Join(a.data(), "environments", "*.yaml"))
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(files))
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".yaml"))
	}
	slices.Sort(names)
	return names, nil
}
