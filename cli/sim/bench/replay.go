package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

const tailRecords = 1000

// replay measures a fold of a long log against reading the same log, and a start from a
// snapshot with a tail.
func replay(ctx context.Context, dir string, s sizes) ([]figure, error) {
	p, err := startBus(ctx, filepath.Join(dir, "nats"))
	if err != nil {
		return nil, err
	}
	defer p.close()
	reader, err := p.connect(ctx, func(key string) (string, error) { return p.trust.OperatorJWT("bench", key) }, nil)
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
		if err := each(ctx, log, 1, last-tailRecords, st.Fold); err != nil {
			return nil, err
		}
		early := projections.EncodeSnapshot(st)
		if err := each(ctx, log, last-tailRecords+1, last, st.Fold); err != nil {
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
			fmt.Sprintf("%.2f ×", r.Seconds()/f.Seconds()), "≥ 0.7 ×",
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
	return each(ctx, log, st.Seq+1, last, st.Fold)
}

// historyMachines is how many machines the long log is about.
const historyMachines = 1000

// writeHistory fills an empty log with n records: machines, and what they report.
func writeHistory(ctx context.Context, log events.Log, n int) error {
	recs := append([]events.Record{created()}, enrolled(0, historyMachines)...)
	reports := 0
	for written := 0; written < n; {
		for len(recs) < events.MaxBatch && written+len(recs) < n {
			reports++
			machine := reports % historyMachines
			recs = append(recs, record(events.MachineTag(fmt.Sprint(machine)), started(machine, 1+reports/historyMachines)))
		}
		batch := recs[:min(len(recs), events.MaxBatch)]
		if _, err := log.Append(ctx, uint64(written), batch...); err != nil {
			return err
		}
		written += len(batch)
		recs = recs[len(batch):]
	}
	return nil
}
