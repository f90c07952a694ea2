package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/audit"
	"github.com/jujube-project/jujube/projections/status"
)

// hostile is a name that tries to do something: in a terminal, a web page, a spreadsheet, YAML.
const hostile = "h\x1b]0;evil\a\x1b[2J\r\n- x: &a\u202e\u2066\u009b31m<script>alert(1)</script>=cmd|' /C calc'!A0\U000e0001"

func hostileLog(t *testing.T) (recs []events.Record) {
	t.Helper()
	v, err := version.ParseBinary("1.25.0-trusty-amd64")
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range []events.Payload{
		&events.EnvironmentCreated{UUID: "u", Name: "e", AgentVersion: v.Number, Operators: []events.Operator{{Name: "alice", Key: "A"}}},
		&events.MachineEnrolled{Machine: "0", Key: "K", Hostname: hostile, Version: v, StateServer: true},
		&events.SourceLost{Source: hostile, Reason: hostile},
		&events.AgentUpgradeFailed{
			Failure: events.Failure{Step: hostile, Cause: events.CauseVersion, Code: hostile, Text: hostile, Output: hostile},
		},
		&events.SettingChanged{Key: hostile, Value: hostile},
	} {
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		// Not by events.New: records that it would refuse must be shown safely too.
		recs = append(recs, events.Record{
			Envelope: events.Envelope{ID: fmt.Sprint("r", i), Time: time.Unix(int64(i+1), 0), Actor: hostile}, Kind: p.Kind(), Seq: uint64(i + 1),
			Entity: p.Entity(), Data: data,
		})
	}
	return recs
}

// BI-98 (and how BI-70's names are shown): every writer of status and audit log.
func TestBI98EveryWriter(t *testing.T) {
	recs := hostileLog(t)
	s := projections.New()
	for _, r := range recs {
		s.Fold(r)
	}
	st := status.Make(s)
	for _, format := range status.Formats {
		var out bytes.Buffer
		if err := status.Write(&out, format, st, status.Options{}); err != nil {
			t.Fatal(err)
		}
		harmless(t, "status "+format, out.String())
		var back map[string]any
		switch format {
		case "json":
			if err := json.Unmarshal(out.Bytes(), &back); err != nil || !strings.Contains(fmt.Sprint(back), hostile) {
				t.Errorf("BI-98: JSON does not mean the name any more: %v\n%s", err, out.String())
			}
		case "yaml":
			if err := yaml.Unmarshal(out.Bytes(), &back); err != nil || strings.Contains(fmt.Sprint(back["x"]), "a") {
				t.Errorf("BI-98: YAML: %v\n%s", err, out.String())
			}
		}
	}
	for _, format := range []string{audit.FormatTable, audit.FormatJSON, audit.FormatJSONL} {
		var out bytes.Buffer
		w, err := audit.NewWriter(&out, format, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			if err := w.Write(audit.EntryOf(r)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		harmless(t, "audit "+format, out.String())
		if lines := strings.Count(out.String(), "\n"); lines > len(recs)+3 {
			t.Errorf("BI-98: audit %s: a name made lines of its own: %d\n%s", format, lines, out.String())
		}
	}
}

func harmless(t *testing.T, what, text string) {
	t.Helper()
	if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		t.Errorf("BI-98: %s lets a name speak: %q", what, text)
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "=cmd") {
			t.Errorf("BI-98: %s begins a line with a formula: %q", what, line)
		}
	}
}
