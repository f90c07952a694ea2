package app

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// App is one run of juju. Main needs Args, the three streams and Getenv; the flags are set
// when the command line is parsed.
type App struct {
	Args   []string // without the program's name
	Stdin  io.Reader
	Stdout io.Writer // results; Main puts a filter in front that makes control characters harmless
	Stderr io.Writer // everything that is said to a person
	Getenv func(string) string

	// Screen is Stdout without that filter, for the sequences that control a terminal. Main sets it.
	Screen io.Writer

	Environment string        // -e; empty: not given
	Timeout     time.Duration // how long to wait until a request is judged
	Yes         bool          // --yes, of commands that have it: show what is signed, and do not ask
	Debug       bool
	Verbose     bool
	Quiet       bool
}

// decideTimeout is the default of --timeout.
const decideTimeout = 30 * time.Second

// AddFlags defines the flags that every command has.
func (a *App) AddFlags(f *pflag.FlagSet) {
	f.StringVarP(&a.Environment, "environment", "e", "", "the environment to use, instead of $JUJU_ENV or the current one")
	f.DurationVar(&a.Timeout, "timeout", decideTimeout, "how long to wait until a state server has judged a request")
	f.BoolVar(&a.Debug, "debug", false, "show what is done, step by step")
	f.BoolVar(&a.Verbose, "verbose", false, "say more")
	f.BoolVar(&a.Quiet, "quiet", false, "say nothing but results, errors and what is signed")
}

// Chosen is the environment that a command works on: -e, else $JUJU_ENV, else the current
// one.
func (a *App) Chosen() (Environment, error) {
	name := a.ChosenName()
	if name == "" {
		return Environment{}, Fail(errors.New("no environment was named, and none is current"), "",
			"juju bootstrap, or juju switch NAME, or -e NAME")
	}
	return a.Store().Load(name)
}

// ChosenName is the name of the chosen environment; empty: none was named, and none is
// current.
func (a *App) ChosenName() string {
	for _, name := range []string{a.Environment, a.Getenv("JUJU_ENV")} {
		if name != "" {
			return name
		}
	}
	return a.Store().Current()
}

// Named is the environment that the arguments or -e name; it is empty if neither does. The current
// environment does not count: to make or to destroy an environment, a person must name it.
func (a *App) Named(args []string) (string, error) {
	switch {
	case len(args) == 0:
		return a.Environment, nil
	case a.Environment != "" && a.Environment != args[0]:
		return "", Usage("two environments are named, %q and %q", args[0], a.Environment)
	}
	return args[0], nil
}

// CompleteEnvironment offers the names of environments to the shell.
func (a *App) CompleteEnvironment(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names, err := a.Store().Names()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// GivenFlags refuses flags that were given an empty value. Where a script passes a variable that
// happens to be empty, that must not mean "choose for me".
func GivenFlags(cmd *cobra.Command, flags ...string) error {
	for _, flag := range flags {
		if f := cmd.Flags().Lookup(flag); f.Changed && f.Value.String() == "" {
			return Usage("--%s names nothing", flag)
		}
	}
	return nil
}

// Bytes writes a size for a person.
func Bytes(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
