package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
)

// environment is what this client knows of one: JUJU_DATA/environments/NAME.yaml.
type environment struct {
	Name     string    `yaml:"name"`
	UUID     string    `yaml:"uuid"`
	Operator string    `yaml:"operator"`
	URLs     []string  `yaml:"urls"`
	Machines []machine `yaml:"machines,omitempty"` // those that this client started on this host
}

// machine is a local machine: which process runs it and where its files are.
type machine struct {
	ID      string `yaml:"id"`
	DataDir string `yaml:"data_dir"`
	PID     int    `yaml:"pid"`
	Started uint64 `yaml:"started_ticks"` // of the process: a reused PID has another
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

// data is the client's directory.
func (a *App) data() string {
	if dir := a.Getenv("JUJU_DATA"); dir != "" {
		return dir
	}
	return filepath.Join(a.Getenv("HOME"), ".local", "share", "juju")
}

func (a *App) environmentFile(name string) string {
	return filepath.Join(a.data(), "environments", name+".yaml")
}

func (a *App) credentialsFile(name string) string {
	return filepath.Join(a.data(), "credentials", name+".creds")
}

func (a *App) currentFile() string { return filepath.Join(a.data(), "current-environment") }

// chosen is the environment that a command works on: -e, else $JUJU_ENV, else the
// current one.
func (a *App) chosen() (environment, error) {
	name := a.environment
	if name == "" {
		name = a.Getenv("JUJU_ENV")
	}
	if name == "" {
		name = a.current()
	}
	if name == "" {
		return environment{}, fail(errors.New("no environment was named, and none is current"), "",
			"juju bootstrap, or juju switch NAME, or -e NAME")
	}
	return a.loadEnvironment(name)
}

func (a *App) current() string {
	b, err := os.ReadFile(a.currentFile())
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
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
	if err != nil {
		return e, fmt.Errorf("read environment %s: %w", name, err)
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

func (a *App) saveCredentials(name string, c bus.Credentials) error {
	if err := os.MkdirAll(filepath.Dir(a.credentialsFile(name)), 0o700); err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	return c.Save(a.credentialsFile(name))
}

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

func (a *App) environmentsCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "environments", Short: "List the environments that this client knows", Args: cobra.NoArgs,
		Long:    "List the environments that this client has credentials for. The current one has a star.",
		Example: "  juju environments\n  juju environments --format json",
		RunE: func(*cobra.Command, []string) error {
			names, err := a.names()
			if err != nil {
				return err
			}
			current := a.current()
			if format == "json" {
				return json.NewEncoder(a.Stdout).Encode(map[string]any{"current": current, "environments": names})
			}
			if format != "tabular" {
				return usage("format %q is not tabular or json", format)
			}
			for _, n := range names {
				star := " "
				if n == current {
					star = "*"
				}
				fmt.Fprintln(a.Stdout, star, n)
			}
			if len(names) == 0 {
				a.say("There is none yet; juju bootstrap makes one.")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "tabular", "tabular or json")
	return cmd
}

func (a *App) switchCommand() *cobra.Command {
	return &cobra.Command{
		Use: "switch [NAME]", Short: "Choose the current environment, or show it", Args: cobra.MaximumNArgs(1),
		Long:    "Make NAME the environment that commands without -e work on. Without NAME, show which one\nit is.",
		Example: "  juju switch\n  juju switch prod",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				if a.current() == "" {
					return fail(errors.New("no environment is current"), "", "juju switch NAME")
				}
				_, err := fmt.Fprintln(a.Stdout, a.current())
				return err
			}
			if _, err := a.loadEnvironment(args[0]); err != nil {
				return err
			}
			return a.makeCurrent(args[0])
		},
	}
}

func (a *App) makeCurrent(name string) error {
	return install.WriteFile(a.currentFile(), []byte(name+"\n"))
}
