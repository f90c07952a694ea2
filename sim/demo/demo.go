package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// demoTimeout is how long the whole demo may take. On a slow machine it takes a quarter of that.
const demoTimeout = 4 * time.Minute

// Command is `juju demo`.
func Command(a *app.App) *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Play the whole story on this host, in a minute, and check it", Args: cobra.NoArgs,
		Long: `Make an environment of four machines in a temporary directory, run two units of an HTTP
service in it, and upgrade it: once to the next patch, once to the next minor version,
once to a release that is broken and is rolled back by itself. Then restart an agent, and
read, replay and verify the log. Everything is real: processes, files, NATS. Nothing
leaves this host, and nothing of it remains.

Each command is printed before its output. What is claimed is checked; the exit code is 1
when anything is not as it must be. The servers' software is built in several versions if
there is a Go toolchain and this module's source; if not, the jujud beside juju is packed
with FORCE-VERSION files.`,
		Example: "  juju demo\n  juju demo --keep",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), demoTimeout)
			defer cancel()
			return run(ctx, a, keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the environment running, and say how to look at it")
	return cmd
}

// run plays the story. However the story ends, run stops every process and removes every file that
// the demo made. With keep it leaves all of them, if everything went well.
func run(ctx context.Context, a *app.App, keep bool) error {
	d, err := newDemo(ctx, a.Stdout)
	if err != nil {
		return err
	}
	err = d.play(ctx)
	if err != nil {
		d.showLogs()
	}
	if keep && err == nil {
		d.traffic.close()
		d.sayHowToLook()
	} else {
		err = errors.Join(err, d.cleanUp(context.WithoutCancel(ctx)))
	}
	if err == nil && d.wrong > 0 {
		err = fmt.Errorf("%d claims of the demo are not true", d.wrong)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, "\nAll %d claims hold; %.0f s.\n", d.claims, time.Since(d.began).Seconds())
	return nil
}

// newDemo makes the demo's directory and copies juju into it: `go run` removes its program when it
// ends, and with keep the operator needs one afterwards.
func newDemo(ctx context.Context, out io.Writer) (*demo, error) {
	dir, err := os.MkdirTemp("", "juju-demo-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the demo: %w", err)
	}
	d := &demo{stage: &stage{dir: dir, out: out}, began: time.Now()}
	err = d.copyJuju()
	if err == nil {
		d.software, err = findSoftware(ctx, filepath.Join(dir, "tree"))
	}
	if err == nil {
		d.traffic, err = newTraffic()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return d, nil
}

func (d *demo) copyJuju() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		return err
	}
	if err := os.Mkdir(d.path("bin"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(d.path("bin", "juju"), b, 0o700)
}

func (d *demo) sayHowToLook() {
	fmt.Fprintf(d.out, `
The environment goes on. Look at it:

  export JUJU_DATA=%s PATH=%s:$PATH
  juju status
  juju audit log

End it:

  juju destroy-environment demo --yes && rm -rf %s
`, d.path("client"), d.path("bin"), d.dir)
}

// cleanUp ends what the demo started, removes its files, and then checks that no process is left.
func (d *demo) cleanUp(ctx context.Context) error {
	d.traffic.close()
	var err error
	if d.bootstrapped {
		d.title("The end")
		_, err = d.run(ctx, "destroy-environment", "demo", "--yes")
	}
	err = errors.Join(err, os.RemoveAll(d.dir))
	if err == nil && d.bootstrapped {
		left := processesOf(d.dir)
		d.claim(len(left) == 0, "no process and no file of the demo is left%s", listed(left))
	}
	return err
}
