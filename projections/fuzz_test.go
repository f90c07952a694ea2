package projections_test

import (
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/audit"
	"github.com/jujube-project/jujube/projections/status"
)

// A snapshot that was changed is refused, and a status can be made from one that is accepted.
func FuzzDecodeSnapshot(f *testing.F) {
	f.Add(projections.EncodeSnapshot(projections.New()))
	f.Add([]byte("{}\n{}"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if s, err := projections.DecodeSnapshot(b); err == nil {
			status.Make(s)
		}
	})
}

// Whatever is stored in a log, fold, status and audit go on.
func FuzzFold(f *testing.F) {
	late := []byte(`{"id":"x","kind":"report.late/1","time":"2026-01-02T03:04:05Z","actor":"machine-1",` +
		`"data":{"machine":"1","epoch":"e","n":1,"order":"o","report":"agent.upgraded/1","data":{"failure":{"text":"t"}}}}`)
	f.Add("machine.machine-1", late)
	f.Fuzz(func(_ *testing.T, entity string, b []byte) {
		rec, err := events.Unmarshal(b)
		if err != nil {
			return
		}
		rec.Seq, rec.Entity = 1, entity
		s := projections.New()
		s.Fold(rec)
		status.Make(s)
		audit.EntryOf(rec)
	})
}
