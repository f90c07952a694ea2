package statesrv_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/jujube-project/jujube/events/wire"
)

// The list of objects says what the store holds, also if the log does not know of it.
func TestTheStoreIsReadAsItIs(t *testing.T) {
	p := newPlace(t)
	p.start()
	good, data := packed(t, "1.25.1", "good")
	if err := p.upload(good, data); err != nil {
		t.Fatal(err)
	}
	lost, lostData := packed(t, "1.25.2", "nobody asked for it")
	if err := p.bus.StateServer().Tools().Put(t.Context(), lost, bytes.NewReader(lostData), unchecked); err != nil {
		t.Fatal(err)
	}
	var objects []wire.Object
	p.query("tools-objects", nil, &objects)
	if len(objects) != 2 {
		t.Fatalf("the objects are %v", objects)
	}
	for _, o := range objects {
		var h wire.Hashed
		p.hash(o.SHA256, &h)
		if h.SHA256 != o.SHA256 || h.Size != o.Size {
			t.Errorf("object %v hashes as %v", o, h)
		}
	}
	for _, name := range []string{"banana", "0000000000000000000000000000000000000000000000000000000000000000"} {
		if _, err := p.alice.Ask(t.Context(), "tools-hash", []byte(name)); err == nil {
			t.Errorf("%s was hashed", name)
		}
	}
}

func (p *place) hash(digest string, h *wire.Hashed) {
	p.Helper()
	b, err := p.alice.Ask(p.Context(), "tools-hash", []byte(digest))
	if err != nil {
		p.Fatal(err)
	}
	if err := json.Unmarshal(b, h); err != nil {
		p.Fatal(err)
	}
}
