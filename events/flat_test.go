package events

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// What is read by hand is what encoding/json reads.
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
		r, err := Unmarshal(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(r.Kind, r.Data)
	}
	for _, data := range []string{
		`{}`, `{"n":01}`, `{"n":-1}`, `{"n":1e3}`, `{"n":99999999999999999999}`, `{"n":"1"}`, `{"machine":3}`,
		`{"machine":"3",}`, `{"machine":"\u0033"}`, `{"Machine":"3"}`, `{"machine":"3","machine":"4"}`, `{"machine":null}`,
		`{"machine":"3"}}`, ` {"machine":"3"}`, `{"machine":"3"`, `{"percent":1.0}`, `{"version":""}`, `{"version":"x"}`,
	} {
		f.Add("agent.downloading/1", []byte(data))
		f.Add("agent.started/1", []byte(data))
	}
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		newPayload, ok := kinds[kind]
		if !ok {
			return
		}
		got, gotErr := readPayload(data, newPayload)
		want := newPayload()
		wantErr := json.Unmarshal(data, want)
		if (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("%s %s: %v, encoding/json says %v", kind, data, gotErr, wantErr)
		}
		if gotErr == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%s %s: %+v, encoding/json reads %+v", kind, data, got, want)
		}
	})
}

// Every report that this package writes is read by hand, but for the rare and the ones with parts.
func TestReportsAreFlat(t *testing.T) {
	parts := map[string]bool{"agent.upgrade_failed/1": true, "agent.rolled_back/1": true, "report.late/1": true, "agent.stepping/1": true, "trust.refused/1": true, "trust.stale/1": true, "order.refused/1": true}
	for kind, newPayload := range kinds {
		f, ok := newPayload().(flat)
		if !ok || parts[kind] {
			continue
		}
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if !readFlat(b, newPayload().(flat)) {
			t.Errorf("%s: %s is left to encoding/json", kind, b)
		}
	}
}
