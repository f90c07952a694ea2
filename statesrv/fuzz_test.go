package statesrv

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
)

func FuzzLoadFileConfig(f *testing.F) {
	dir := f.TempDir()
	if err := os.Mkdir(Dir(dir), 0o700); err != nil {
		f.Fatal(err)
	}
	if err := (FileConfig{Environment: "e", Name: "n", Port: 1}).Save(dir); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(configFile(dir))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(configFile(dir), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := LoadFileConfig(dir); err == nil && (c.Port < 0 || c.Port > 65535 || c.Environment == "") {
			t.Fatalf("%s: %+v", b, c)
		}
	})
}

// The bodies of queries are what an operator's client sends.
func FuzzQueryBody(f *testing.F) {
	f.Add([]byte(`{"to":"1.2.3","client":"1.2.3","artefacts":[]}`))
	f.Add([]byte(`{"action":"upgrade","upgrade":{"to":"1.2.3"}}`))
	f.Add([]byte(`{"action":"upgrade"}`))
	f.Add([]byte(`{"action":"restart-agent"}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		var upgrade events.AskUpgrade
		_ = json.Unmarshal(b, &upgrade)
		var piece wire.StagePiece
		_ = json.Unmarshal(b, &piece)
		var ask events.Ask
		if json.Unmarshal(b, &ask) == nil {
			targets.Resolve(projections.New(), ask)
		}
	})
}

func FuzzSiteFile(f *testing.F) {
	dir := f.TempDir()
	if err := os.Mkdir(Dir(dir), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"snapshot":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(siteKeysFile(dir), b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = loadSiteFile(dir)
	})
}
