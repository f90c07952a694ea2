package events_test

import (
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
)

// A part of signed metadata of limits.PartBytes fits into a record, and a longer one is refused.
func TestPartsOfSignedMetadata(t *testing.T) {
	for size, fits := range map[int]bool{limits.PartBytes: true, limits.PartBytes + 1: false, 0: false} {
		rec, err := events.New(envelope(), &events.TrustSigned{Parts: 1, Data: make([]byte, size)})
		if err == nil {
			rec.Seq = 1 << 60
			_, err = events.Marshal(rec.Placed("5c1e3f5c-0000-4000-8000-000000000001"))
		}
		if (err == nil) != fits {
			t.Errorf("a part of %d bytes: %v", size, err)
		}
	}
	for _, p := range []events.TrustSigned{{Part: 1, Parts: 1}, {Part: -1, Parts: 1}, {Part: 0, Parts: 1000}} {
		p.Data = []byte("x")
		if p.Validate() == nil {
			t.Errorf("part %d of %d is taken", p.Part, p.Parts)
		}
	}
}

// A placed record counts at its position in its environment, and says what it said before to whoever
// does not look at the place.
func TestPlacedRecords(t *testing.T) {
	for _, p := range []events.Payload{&events.MachineLost{Machine: "3"}, &events.SettingChanged{Key: "a", Value: "b"}} {
		rec, err := events.New(envelope(), p)
		if err != nil {
			t.Fatal(err)
		}
		rec.Seq = 17
		placed := rec.Placed("env-1")
		if rec.IsPlaced("env-1") || !placed.IsPlaced("env-1") || placed.IsPlaced("env-2") || placed.IsPlaced("env") {
			t.Errorf("%s: its environment does not decide", rec.Kind)
		}
		back, err := events.DecodeStrict(placed)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := events.New(envelope(), back); err != nil || string(again.Data) != string(rec.Data) {
			t.Errorf("%s says %s afterwards, %v", rec.Kind, again.Data, err)
		}
		if twice := placed.Placed("env-2"); string(twice.Data) != string(placed.Data) {
			t.Errorf("%s is placed twice: %s", rec.Kind, twice.Data)
		}
		for _, seq := range []uint64{1, 7, 16, 18, 170} {
			if placed.Seq = seq; placed.IsPlaced("env-1") {
				t.Errorf("%s counts at %d", rec.Kind, seq)
			}
		}
	}
	empty := events.Record{Data: []byte("{}"), Seq: 1}.Placed("e")
	if string(empty.Data) != `{"place":{"environment":"e","seq":1}}` || !empty.IsPlaced("e") {
		t.Errorf("an empty payload becomes %s", empty.Data)
	}
}
