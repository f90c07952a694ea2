package inspect

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections/audit"
)

// auditLog is `juju audit log`.
type auditLog struct {
	*reader
	filter       audit.Filter
	since, until string
	format       string
	utc          bool
	follow       bool // go on with the records that are appended
}

func (c *auditLog) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Show who did what, when and why",
		Long: `Show the records of the log: who did what, when, and why. Filters that are given must
all fit; in --actor and --kind * stands for any text. A kind or a machine that the log does not
know is refused.

Times are RFC 3339 (2015-06-01T12:00:00Z), local (2015-06-01 12:00, or 12:00 of to-day),
or how long ago (15m).`,
		Example: `  juju audit log
  juju audit log --machine 3 --kind 'order.*'
  juju audit log --upgrade 01890a5d-ac96 --format jsonl
  juju audit log --actor alice --since 2h
  juju audit log --follow`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.times(time.Now()); err != nil {
				return app.Usage("%v", err)
			}
			zone := time.Local
			if c.utc {
				zone = time.UTC
			}
			w, err := audit.NewWriter(c.stdout, c.format, zone)
			if err != nil {
				return app.Usage("%v", err)
			}
			return c.run(cmd.Context(), w)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&c.filter.Machine, "machine", "", "only what concerns this machine (3 or machine-3)")
	fl.StringVar(&c.filter.Upgrade, "upgrade", "", "only what belongs to this upgrade or request; the beginning of its id is enough")
	fl.StringVar(&c.filter.Actor, "actor", "", "only what this actor did (alice, machine-3, state-server-0)")
	fl.StringVar(&c.filter.Kind, "kind", "", "only records of this kind (order.issued, 'agent.*')")
	fl.StringVar(&c.since, "since", "", "only what was recorded then or later")
	fl.StringVar(&c.until, "until", "", "only what was recorded before")
	fl.StringVar(&c.format, "format", audit.FormatTable, "one of table, json, jsonl")
	fl.BoolVar(&c.utc, "utc", false, "write times of the table in UTC")
	fl.BoolVar(&c.follow, "follow", false, "go on with what comes, until Ctrl-C")
	return cmd
}

// times reads --since and --until.
func (c *auditLog) times(now time.Time) (err error) {
	if c.since != "" {
		if c.filter.Since, err = parseTime(c.since, now); err != nil {
			return err
		}
	}
	if c.until != "" {
		c.filter.Until, err = parseTime(c.until, now)
	}
	return err
}

func (c *auditLog) run(ctx context.Context, w *audit.Writer) error {
	src, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer src.close()
	last, err := src.log.Last(ctx)
	if err != nil {
		return err
	}
	words := newWords()
	for rec, err := range src.log.Read(ctx, 1, last) {
		if err := tell(w, c.filter, words, rec, err); err != nil {
			return err
		}
	}
	if err := words.refuse(c.filter); err != nil {
		return err
	}
	if !c.follow {
		return w.Close()
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for rec, err := range src.log.Follow(ctx, last+1) {
		if ctx.Err() != nil {
			break
		}
		if err := errors.Join(tell(w, c.filter, words, rec, err), w.Flush()); err != nil {
			return err
		}
	}
	return w.Close()
}

// tell writes a record if the filter chooses it. invalid is the error of reading it: a record that
// cannot be read is shown as invalid.
func tell(w *audit.Writer, f audit.Filter, words words, rec events.Record, invalid error) error {
	e := audit.EntryOf(rec)
	switch {
	case errors.Is(invalid, events.ErrInvalid):
		e = audit.Entry{Seq: rec.Seq, What: "invalid", Why: invalid.Error()}
	case invalid != nil:
		return invalid
	}
	words.note(e)
	if !f.Match(e) {
		return nil
	}
	return w.Write(e)
}
