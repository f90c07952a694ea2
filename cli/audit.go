package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections/audit"
)

func (r *reader) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Read, replay and verify the log",
		Long: `The log of an environment holds everything that was asked, decided, ordered and
reported, and nothing in it is ever changed. These commands read it, rebuild the status
of any moment from it, and prove that it is whole. They need no state server: when NATS
does not answer either, they read a copy of the log if its files lie on this host.`,
		Example: `  juju audit log --machine 3
  juju audit replay --at 120
  juju audit verify
  juju audit checkpoint > today.checkpoint`,
	}
	cmd.AddCommand(r.auditLogCommand(), r.auditReplayCommand(), r.auditVerifyCommand(), r.auditCheckpointCommand())
	return cmd
}

func (r *reader) auditLogCommand() *cobra.Command {
	var f audit.Filter
	var since, until, format string
	var utc, follow bool
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Show who did what, when and why",
		Long: `Show the records of the log: who did what, when, and why. Filters that are given must
all fit; in --actor and --kind * stands for any text.

Times are RFC 3339 (2015-06-01T12:00:00Z), local (2015-06-01 12:00, or 12:00 of to-day),
or how long ago (15m).`,
		Example: `  juju audit log
  juju audit log --machine 3 --kind 'order.*'
  juju audit log --upgrade 01890a5d-ac96 --format jsonl
  juju audit log --actor alice --since 2h
  juju audit log --follow`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			now := time.Now()
			for _, t := range []struct {
				text string
				to   *time.Time
			}{{since, &f.Since}, {until, &f.Until}} {
				if t.text == "" {
					continue
				}
				var err error
				if *t.to, err = parseTime(t.text, now); err != nil {
					return app.Usage("%v", err)
				}
			}
			zone := time.Local
			if utc {
				zone = time.UTC
			}
			w, err := audit.NewWriter(r.stdout, format, zone)
			if err != nil {
				return app.Usage("%v", err)
			}
			return r.auditLog(cmd.Context(), f, w, follow)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.Machine, "machine", "", "only what concerns this machine (3 or machine-3)")
	fl.StringVar(&f.Upgrade, "upgrade", "", "only what belongs to this upgrade or request; the beginning of its id is enough")
	fl.StringVar(&f.Actor, "actor", "", "only what this actor did (alice, machine-3, state-server-0)")
	fl.StringVar(&f.Kind, "kind", "", "only records of this kind (order.issued, 'agent.*')")
	fl.StringVar(&since, "since", "", "only what was recorded then or later")
	fl.StringVar(&until, "until", "", "only what was recorded before")
	fl.StringVar(&format, "format", audit.FormatTable, "one of table, json, jsonl")
	fl.BoolVar(&utc, "utc", false, "write times of the table in UTC")
	fl.BoolVar(&follow, "follow", false, "go on with what comes, until Ctrl-C")
	return cmd
}

func (r *reader) auditLog(ctx context.Context, f audit.Filter, w *audit.Writer, follow bool) error {
	src, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer src.close()
	last, err := src.log.Last(ctx)
	if err != nil {
		return err
	}
	for rec, err := range src.log.Read(ctx, 1, last) {
		if err := tell(w, f, rec, err); err != nil {
			return err
		}
	}
	if !follow {
		return w.Close()
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for rec, err := range src.log.Follow(ctx, last+1) {
		if ctx.Err() != nil {
			break
		}
		if err := errors.Join(tell(w, f, rec, err), w.Flush()); err != nil {
			return err
		}
	}
	return w.Close()
}

// tell writes a record that the filter chooses. invalid is what reading it gave.
func tell(w *audit.Writer, f audit.Filter, rec events.Record, invalid error) error {
	e := audit.EntryOf(rec)
	switch {
	case errors.Is(invalid, events.ErrInvalid):
		e = audit.Entry{Seq: rec.Seq, What: "invalid", Why: invalid.Error()}
	case invalid != nil:
		return invalid
	}
	if !f.Match(e) {
		return nil
	}
	return w.Write(e)
}

func (r *reader) auditReplayCommand() *cobra.Command {
	var v view
	var at string
	cmd := &cobra.Command{
		Use:   "replay [PATTERN...]",
		Short: "Show the status as it stood at any moment",
		Long: `Rebuild the status from the log as it stood at a sequence of the log or at a time, in
every format of juju status. Without --at it is the status of now, made from the log
alone.`,
		Example: `  juju audit replay --at 120
  juju audit replay --at '2015-06-01 12:00' --format yaml
  juju audit replay --at 15m web`,
		RunE: func(cmd *cobra.Command, args []string) error {
			v.patterns = args
			if err := v.check(); err != nil {
				return app.Usage("%v", err)
			}
			var m moment
			if at != "" {
				var err error
				if m, err = parseMoment(at, time.Now()); err != nil {
					return app.Usage("%v", err)
				}
			}
			src, err := r.open(cmd.Context())
			if err != nil {
				return err
			}
			defer src.close()
			st, err := src.foldStatus(cmd.Context(), m)
			if err != nil {
				return err
			}
			return v.write(r.stdout, st)
		},
	}
	v.flags(cmd)
	cmd.Flags().StringVar(&at, "at", "", "a sequence of the log, or a time")
	return cmd
}
