package app

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

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// Store is the directory in which this client notes the environments that it knows, with its keys.
// The path is absolute: paths that are built from it and noted are found from any directory.
type Store string

// Store gives the store of this run: $JUJU_DATA, else ~/.local/share/juju.
func (a *App) Store() Store {
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
	return Store(dir)
}

// Path is a file or directory of the store.
func (d Store) Path(parts ...string) string {
	return filepath.Join(append([]string{string(d)}, parts...)...)
}

// EnvironmentFile holds the Environment of that name.
func (d Store) EnvironmentFile(name string) string { return d.Path("environments", name+".yaml") }

// CredentialsFile holds the operator's credentials.
func (d Store) CredentialsFile(name string) string { return d.Path("credentials", name+".creds") }

// AuthoritiesFile holds the certificates of the authorities that this client believes.
func (d Store) AuthoritiesFile(name string) string { return d.Path("credentials", name+".ca.pem") }

// LogKeysFile holds the public log keys that this client believes, one a line.
func (d Store) LogKeysFile(name string) string { return d.Path("credentials", name+".log-keys") }

// CheckpointFile holds the newest checkpoint of the log that this client believed.
func (d Store) CheckpointFile(name string) string { return d.Path("checkpoints", name) }

// TrustDir holds the environment's signed metadata and this client's keys for it.
func (d Store) TrustDir(name string) string { return d.Path("trust", name) }

// MachineDir is the default data directory of a machine on this host.
func (d Store) MachineDir(name, id string) string { return d.Path("machines", name, id) }

func (d Store) currentFile() string { return d.Path("current-environment") }

// Current is the name of the current environment. It is empty if none is current.
func (d Store) Current() string {
	b, err := host.ReadPinned(d.currentFile())
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// MakeCurrent makes an environment the current one.
func (d Store) MakeCurrent(name string) error {
	return host.WriteFile(d.currentFile(), []byte(name+"\n"))
}

// Names are the environments that this client knows, sorted.
func (d Store) Names() ([]string, error) {
	files, err := filepath.Glob(d.Path("environments", "*.yaml"))
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

// Load reads what is noted of an environment.
func (d Store) Load(name string) (Environment, error) {
	var e Environment
	if !events.IsID(name) {
		return e, Fail(fmt.Errorf("%q is no name of an environment", name), "", "juju environments lists them")
	}
	b, err := host.ReadPinned(d.EnvironmentFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return e, Fail(fmt.Errorf("there is no environment %q here", name), "", "juju environments lists them; juju bootstrap "+name+" makes it")
	}
	if err == nil {
		err = yaml.Unmarshal(b, &e)
	}
	if err == nil && (e.Name != name || e.UUID == "") {
		err = errors.New("its name or its uuid is missing, or it is another environment's")
	}
	if err != nil {
		return e, Fail(fmt.Errorf("read %s: %w", d.EnvironmentFile(name), err), "Nothing was changed.", "mend the file, or put back a copy of it")
	}
	return e, nil
}

// Save writes what is noted of an environment. The caller holds the Lock.
func (d Store) Save(e Environment) error {
	b, err := yaml.Marshal(e)
	if err != nil {
		return fmt.Errorf("write environment %s: %w", e.Name, err)
	}
	if err := host.MakeDirectory(filepath.Dir(d.EnvironmentFile(e.Name))); err != nil {
		return fmt.Errorf("write environment %s: %w", e.Name, err)
	}
	return host.WriteFile(d.EnvironmentFile(e.Name), b)
}

// Add notes a new environment. If two clients make one of the same name at the same time, the
// second gets fs.ErrExist.
func (d Store) Add(e Environment) error {
	unlock, err := d.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(d.EnvironmentFile(e.Name)); err == nil {
		return fmt.Errorf("note environment %s: %w", e.Name, fs.ErrExist)
	}
	return d.Save(e)
}

// Update changes what is noted of an environment. The file is read again under the lock:
// another client may have changed it since this one read it.
func (d Store) Update(name string, change func(*Environment)) error {
	unlock, err := d.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	e, err := d.Load(name)
	if err != nil {
		return err
	}
	change(&e)
	return d.Save(e)
}

// Forget removes what is noted of an environment: its file, the credentials, the pinned
// certificates and log keys, what was seen of its log, and this client's keys for it. A file that
// does not exist is no error. If it was the current environment, none is current any more.
func (d Store) Forget(name string) error {
	for _, path := range []string{
		d.EnvironmentFile(name), d.CredentialsFile(name), d.AuthoritiesFile(name), d.LogKeysFile(name), d.CheckpointFile(name), d.CheckpointFile(name) + ".lock",
		d.TrustDir(name),
	} {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	if d.Current() == name {
		return os.Remove(d.currentFile())
	}
	return nil
}

// Lock keeps other clients from writing until unlock is called. The kernel gives the lock
// back when the process ends, however it ends.
func (d Store) Lock() (unlock func(), err error) {
	if err := host.MakeDirectory(string(d)); err != nil {
		return nil, fmt.Errorf("lock %s: %w", d, err)
	}
	return host.Lock(d.Path("lock"))
}

// SaveCredentials notes the operator's credentials for an environment.
func (d Store) SaveCredentials(name string, c bus.Credentials) error {
	if err := host.MakeDirectory(filepath.Dir(d.CredentialsFile(name))); err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	return c.Save(d.CredentialsFile(name))
}

// PinLogKey notes the public key that must have signed a checkpoint of a new environment's log. What
// was seen of the log of another environment, which had that name before, is forgotten.
func (d Store) PinLogKey(name, public string) error {
	if err := host.MakeDirectory(filepath.Dir(d.LogKeysFile(name))); err != nil {
		return fmt.Errorf("pin the log key: %w", err)
	}
	if err := os.Remove(d.CheckpointFile(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("pin the log key: %w", err)
	}
	return host.WriteFile(d.LogKeysFile(name), []byte(public+"\n"))
}
