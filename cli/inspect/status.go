package inspect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections/plain"
	"github.com/jujube-project/jujube/projections/status"
)

// view is how a status is shown: the flags that status and audit replay share.
type view struct {
	format   string
	utc      bool
	output   string
	patterns []string
}

func (v *view) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&v.format, "format", status.Formats[0], "one of tabular, yaml, json, oneline (or short, line), summary")
	f.BoolVar(&v.utc, "utc", false, "write times as RFC 3339 in UTC")
	f.StringVarP(&v.output, "output", "o", "", "write to this file instead of to the terminal")
}

// check refuses an unknown format or a malformed pattern, before the environment is asked anything.
func (v *view) check() error {
	_, err := status.Status{}.Filter(v.patterns)
	return errors.Join(err, status.Write(io.Discard, v.format, status.Status{}, status.Options{}))
}

// write writes the status to the file of -o, or else to out.
func (v *view) write(out io.Writer, st status.Status) error {
	st, err := st.Filter(v.patterns)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := status.Write(&b, v.format, st, status.Options{UTC: v.utc, Zone: time.Local}); err != nil {
		return err
	}
	if v.output != "" {
		return os.WriteFile(v.output, b.Bytes(), 0o644)
	}
	_, err = out.Write(b.Bytes())
	return err
}

// showStatus is `juju status`.
type showStatus struct {
	*reader
	view    view
	watch   bool // draw again at every change
	fromLog bool // fold the log instead of asking the state server
}

func (c *showStatus) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "status [PATTERN...]",
		Aliases: []string{"stat"},
		Short:   "Show machines, services, units and the upgrade in progress",
		Long: `Show the state of the environment: machines and their agents, services and their
units, and of an upgrade its target, how far it is, what blocks it, which machines wait
and why, and the last error.

PATTERN names services (web), units (web/0) or machines (3, machine-3); * stands for any
text. A unit brings its machine along, and a machine its units.

With --from-log the status is not asked of the state server but made here from the log.
It is the same, and it works while no state server is up: even when NATS itself is down,
if the state server's data directory lies on this host.`,
		Example: `  juju status
  juju status --format yaml
  juju status web 'db/*' 3
  juju status --format json --utc -o status.json
  juju status --watch
  juju status --from-log`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.view.patterns = args
			if c.watch && c.view.output != "" {
				return errors.New("--watch draws on the terminal and cannot write to a file: leave out -o")
			}
			if err := c.view.check(); err != nil {
				return app.Usage("%v", err)
			}
			return c.run(cmd.Context())
		},
	}
	c.view.flags(cmd)
	cmd.Flags().BoolVar(&c.watch, "watch", false, "draw again at every change, until Ctrl-C")
	cmd.Flags().BoolVar(&c.fromLog, "from-log", false, "make the status from the log instead of asking the state server")
	return cmd
}

func (c *showStatus) run(ctx context.Context) error {
	src, err := c.source(ctx)
	if err != nil {
		return err
	}
	defer src.close()
	look := src.askStatus
	if c.fromLog {
		look = func(ctx context.Context) (status.Status, error) { return src.foldStatus(ctx, moment{}) }
	}
	if c.watch {
		return c.draw(ctx, src.log, look)
	}
	st, err := look(ctx)
	switch {
	case err != nil && c.fromLog:
		return err
	case err != nil:
		return withoutStateServer(err)
	}
	if !c.fromLog {
		c.warn(ctx, src)
	}
	return c.view.write(c.stdout, st)
}

// warn says why the state server writes nothing, if it does not.
func (c *showStatus) warn(ctx context.Context, src logSource) {
	if runs, ok := session.Running(ctx, src.ask); ok && runs.Stopped != nil {
		_, _ = fmt.Fprintf(c.stderr, "WARNING %s\n", plain.Text(runs.Stopped.Text))
	}
}

// source opens the log over a connection. With --from-log it opens a copy if nothing answers.
func (c *showStatus) source(ctx context.Context) (logSource, error) {
	if c.fromLog {
		return c.open(ctx)
	}
	src, err := c.connect(ctx)
	if err != nil {
		return src, withoutStateServer(err)
	}
	return src, nil
}

// withoutStateServer adds what a person can do while no state server answers.
func withoutStateServer(err error) error {
	if errors.Is(err, bus.ErrDenied) || session.Unproved(err) {
		return err
	}
	return fmt.Errorf("%w\nThe log can be read without a state server: juju status --from-log", err)
}

// askStatus asks the state server. Its status must not be older than the newest checkpoint of the
// log that it has signed and this client has seen.
func (src logSource) askStatus(ctx context.Context) (status.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	b, err := wire.Status.Ask(ctx, src.ask, wire.Nothing{})
	if err != nil {
		return status.Status{}, err
	}
	st, err := status.Parse(b)
	if seen := src.witness.Seen(); err == nil && st.Log.Position < seen.Size {
		old := events.Refuse(codeOldStatus, "the state server shows a status of %d records of the log, and its log has at least %s", st.Log.Position, seen.Head)
		err = app.Fail(old,
			"What it shows is not printed.", "find out who answers as the state server; juju status --from-log makes the status from the log itself")
	}
	return st, err
}

// codeOldStatus is for a status that leaves out records which this client knows to be in the log.
const codeOldStatus = "status-old"

// askTimeout bounds one question to the state server.
const askTimeout = 20 * time.Second

func (src logSource) foldStatus(ctx context.Context, at moment) (status.Status, error) {
	s, err := foldLog(ctx, src.log, src.root, at)
	if err != nil {
		return status.Status{}, err
	}
	return status.Make(s), nil
}

// clearScreen puts the cursor home and clears the terminal.
const clearScreen = "\x1b[H\x1b[2J"

// draw draws the status now and at every change of the log, until ctx ends. All changes that come
// while it draws are followed by one more drawing.
func (c *showStatus) draw(ctx context.Context, log events.Log, look func(context.Context) (status.Status, error)) error {
	last, err := log.Last(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed, ended := changesOf(ctx, log, last+1)
	for {
		st, err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case session.Unproved(err):
			return err
		case err != nil:
			fmt.Fprintln(c.stderr, plain.Lines(err.Error())) // the watch goes on: a state server that is away comes back
		default:
			io.WriteString(c.screen, clearScreen)
			if err := c.view.write(c.stdout, st); err != nil {
				return err
			}
		}
		select {
		case <-changed:
		case err := <-ended:
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// changesOf sends a token when a record is appended from a sequence on. One token stands for all
// records that came since the last token was taken. ended gives the error when ctx ends or the log
// cannot be followed any more.
func changesOf(ctx context.Context, log events.Log, from uint64) (changed <-chan struct{}, ended <-chan error) {
	poke := host.NewPoke()
	end := make(chan error, 1)
	go func() {
		for _, err := range log.Follow(ctx, from) {
			if err != nil && !errors.Is(err, events.ErrInvalid) {
				end <- err
				return
			}
			poke.Send()
		}
		end <- nil
	}()
	return poke, end
}
