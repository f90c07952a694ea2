package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/scenario"
)

// tailRecords is how many records lie behind the snapshot.
const tailRecords = 1000

// replay measures how long the fold of a long log takes, compared with only reading that log, and
// how long a start from a snapshot with some records behind it takes.
func replay(ctx context.Context, dir string, s sizes) ([]figure, error) {
	p, err := startBus(ctx, filepath.Join(dir, "nats"))
	if err != nil {
		return nil, err
	}
	defer p.close()
	reader, err := p.connect(ctx, func(key string) (string, error) { return p.accounts.OperatorJWT("bench", key) }, nil)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	if err := writeHistory(ctx, p.conn.Log(), s.events); err != nil {
		return nil, err
	}
	log := reader.Log()
	last := uint64(s.events)
	snapshot := filepath.Join(dir, "snapshot.json")
	var read, fold, tail []time.Duration
	for range s.rounds {
		start := time.Now()
		if err := each(ctx, log, 1, last, func(events.Record) {}); err != nil {
			return nil, err
		}
		read = append(read, time.Since(start))

		start = time.Now()
		st := projections.New()
		if err := each(ctx, log, 1, last-tailRecords, folds(st)); err != nil {
			return nil, err
		}
		early := projections.EncodeSnapshot(st)
		if err := each(ctx, log, last-tailRecords+1, last, folds(st)); err != nil {
			return nil, err
		}
		fold = append(fold, time.Since(start))
		if err := os.WriteFile(snapshot, early, 0o600); err != nil {
			return nil, err
		}
		start = time.Now()
		if err := fromSnapshot(ctx, log, snapshot, last); err != nil {
			return nil, err
		}
		tail = append(tail, time.Since(start))
	}
	r, f, t := median(read), median(fold), median(tail)
	return []figure{
		{
			fmt.Sprintf("fold of %d records from JetStream", s.events), perSecond(s.events, f), "reading them without folding: " + perSecond(s.events, r),
			fmt.Sprintf("%.2f ×", ratio(read, fold)), "≥ 0.7 ×",
		},
		{
			fmt.Sprintf("start from a snapshot of %d machines and a tail of %d", historyMachines, tailRecords), ms(t),
			"the whole fold: " + ms(f), fmt.Sprintf("%.0f × faster", f.Seconds()/t.Seconds()), "< 200 ms",
		},
	}, nil
}

func perSecond(n int, d time.Duration) string {
	return fmt.Sprintf("%.0f/s (%.1f s)", float64(n)/d.Seconds(), d.Seconds())
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

func each(ctx context.Context, log events.Log, from, to uint64, f func(events.Record)) error {
	for rec, err := range log.Read(ctx, from, to) {
		if err != nil {
			return err
		}
		f(rec)
	}
	return nil
}

func fromSnapshot(ctx context.Context, log events.Log, file string, last uint64) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	st, err := projections.DecodeSnapshot(b)
	if err != nil {
		return err
	}
	return each(ctx, log, st.Seq+1, last, folds(st))
}

// historyMachines is how many machines the long log is about.
const historyMachines = 1000

// steps are the records of one machine in one upgrade, as lines of package scenario. %[1]d is the
// machine, %[2]d the upgrade, %[3]s and %[4]s are the versions.
var steps = []string{
	"order %[1]d u%[2]d %[3]s %[4]s", "downloading %[1]d u%[2]d 0", "downloading %[1]d u%[2]d 25", "downloading %[1]d u%[2]d 50",
	"downloading %[1]d u%[2]d 75", "downloading %[1]d u%[2]d 100", "staged %[1]d u%[2]d", "restarting %[1]d u%[2]d %[3]s %[4]s",
	"start %[1]d %[4]s", "upgraded %[1]d u%[2]d %[4]s",
}

// writeHistory fills an empty log with n records: first the machines, then upgrades of all of
// them, one after the other.
func writeHistory(ctx context.Context, log events.Log, n int) error {
	script := scenario.New()
	script.Line("env bench 1.24.0")
	for m := range historyMachines {
		script.Line(fmt.Sprintf("enrol %d 1.24.0", m))
	}
	written := 0
	for upgrade := 1; written < n; upgrade++ {
		from, to := fmt.Sprintf("1.24.%d", upgrade-1), fmt.Sprintf("1.24.%d", upgrade)
		script.Line(fmt.Sprintf("ask u%d %s", upgrade, to))
		script.Line(fmt.Sprintf("accept u%d %s %s", upgrade, from, to))
		for m := range historyMachines {
			for _, step := range steps {
				script.Line(fmt.Sprintf(step, m, upgrade, from, to))
			}
		}
		script.Line(fmt.Sprintf("complete u%d %s", upgrade, to))
		for written < min(len(script.Records), n) {
			batch := script.Records[written:min(len(script.Records), n, written+events.MaxBatch)]
			if _, err := log.Append(ctx, uint64(written), batch...); err != nil {
				return err
			}
			written += len(batch)
			clear(batch) // it is in the log now
		}
	}
	return nil
}

func folds(st *projections.State) func(events.Record) { return func(r events.Record) { st.Fold(r) } }
