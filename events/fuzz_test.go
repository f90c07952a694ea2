package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/jujube-project/jujube/events"
)

// FuzzDecode: what Decode accepts can be written again, and what was written decodes to the same. Everything
// else is refused.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no goldens to start from: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		r, err := events.Unmarshal(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(r.Kind, r.Entity, r.Data)
	}
	for _, data := range []string{
		`{}`, `{"n":01}`, `{"n":-1}`, `{"n":1e3}`, `{"n":99999999999999999999}`, `{"n":"1"}`, `{"machine":3}`,
		`{"machine":"3",}`, `{"machine":"\u0033"}`, `{"Machine":"3"}`, `{"machine":"3","machine":"4"}`, `{"machine":null}`,
		`{"machine":"3"}}`, ` {"machine":"3"}`, `{"machine":"3"`, `{"percent":1.0}`, `{"version":""}`, `{"version":"x"}`,
	} {
		f.Add("agent.downloading/1", "machine.machine-3", []byte(data))
		f.Add("agent.started/1", "machine.machine-3", []byte(data))
	}
	f.Fuzz(func(t *testing.T, kind, entity string, data []byte) {
		if len(data) > events.MaxRecordBytes/6 { // written again, one byte can become six: \u003c
			return
		}
		fact, err := events.Decode(events.Record{Kind: kind, Entity: entity, Data: data})
		if err != nil {
			if !errors.Is(err, events.ErrInvalid) && !errors.Is(err, events.ErrUnknownKind) {
				t.Fatalf("%s %s: %v is neither invalid nor of an unknown kind", kind, data, err)
			}
			return
		}
		rec, err := events.New(envelope(), fact)
		if err != nil {
			t.Fatalf("%s %s cannot be written: %v", kind, data, err)
		}
		again, err := events.Decode(rec)
		if err != nil {
			t.Fatalf("%s %s, written anew: %v", kind, rec.Data, err)
		}
		if b, err := json.Marshal(again); err != nil || !bytes.Equal(b, rec.Data) {
			t.Fatalf("%s: %s, written anew %s, %v", kind, rec.Data, b, err)
		}
	})
}
