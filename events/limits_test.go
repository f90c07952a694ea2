package events_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// For each limit of what is decoded: a value at the limit is accepted, a value one past it is refused.
func TestLimitsOfRecords(t *testing.T) {
	record := func(actor string, size int) []byte {
		head := "jujube/1 id a/1 0 environment " + actor + " - -\n"
		return []byte(head + `"` + strings.Repeat("a", size-len(head)-2) + `"`)
	}
	request := func(size int) []byte {
		good := signed(t, `{"id":"r1","action":"upgrade","created":"2015-06-01T12:00:00Z","expires":"2015-06-01T12:10:00Z"}`)
		return append(good, strings.Repeat(" ", size-len(good))...)
	}
	for name, try := range map[string]func(over int) error{
		"RecordBytes": func(over int) error { _, err := events.Unmarshal(record("alice", limits.RecordBytes+over)); return err },
		"FieldBytes": func(over int) error {
			_, err := events.Unmarshal(record(strings.Repeat("a", limits.FieldBytes+over), 1000))
			return err
		},
		"RequestBytes": func(over int) error { _, _, err := events.ParseSigned(request(limits.RequestBytes + over)); return err },
		"ArchiveBytes": func(over int) error {
			v := version.Binary{Number: version.Number{Major: 1, Minor: 2, Patch: 3}, Series: "trusty", Arch: "amd64"}
			err := tools.Tools{Version: v, Size: int64(limits.ArchiveBytes + over), SHA256: strings.Repeat("a", 64)}.Validate()
			if err != nil {
				err = errors.Join(events.ErrInvalid, err)
			}
			return err
		},
	} {
		if err := try(0); err != nil {
			t.Errorf("%s: at the limit: %v", name, err)
		}
		if err := try(1); !errors.Is(err, events.ErrInvalid) {
			t.Errorf("%s: one past the limit: %v, want ErrInvalid", name, err)
		}
	}
}
