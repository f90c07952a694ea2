package events_test

import (
	"bytes"
	"testing"

	"github.com/jujube-project/jujube/events"
)

func FuzzParseHTTPToken(f *testing.F) {
	good, err := events.FormatHTTPToken(events.Signed{
		Statement: []byte(`{"environment":"e","issued":"2026-01-02T03:04:05Z","expires":"2026-01-02T03:14:05Z"}`), Key: "UA", Signature: []byte{1},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("jujubehttp1.")
	f.Add("jujubehttp1.e30")
	f.Fuzz(func(t *testing.T, text string) {
		signed, _, err := events.ParseHTTPToken(text)
		if err != nil {
			return
		}
		again, err := events.FormatHTTPToken(signed)
		if err != nil {
			t.Fatal(err)
		}
		back, _, err := events.ParseHTTPToken(again)
		if err != nil || !bytes.Equal(back.Statement, signed.Statement) || back.Key != signed.Key {
			t.Fatalf("%q became %q: %v", text, again, err)
		}
	})
}
