package events_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
)

func signedRecord(t *testing.T) events.Record {
	t.Helper()
	rec, err := events.New(events.Envelope{ID: "r1", Time: time.Unix(9, 0), Actor: "state-server-0"},
		&events.OrderSuperseded{Order: "o1", Machine: "3", Reason: "aborted"})
	if err == nil {
		rec, err = rec.Signed(testkey.Of("state server"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestASignatureGoesOverTheWireAndIntoTheLog(t *testing.T) {
	rec := signedRecord(t)
	b, err := events.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(b), "jujube/2 ") {
		t.Errorf("a signed record begins with %.20q", b)
	}
	got, err := events.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := got.As(events.Envelope{ID: "r2", Time: time.Unix(10, 0), Actor: "machine-3"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []events.Record{got, taken} {
		if err := r.CheckSignature(testkey.Of("state server").Public()); err != nil {
			t.Error(err)
		}
	}
}

// Each row changes one thing in what was signed.
func TestCheckSignatureRefuses(t *testing.T) {
	key := testkey.Of("state server").Public()
	for name, edit := range map[string]func(*events.Record){
		"another kind":       func(r *events.Record) { r.Kind = "order.timed_out/1" },
		"another entity":     func(r *events.Record) { r.Entity = "order.machine-4.agent" },
		"another byte":       func(r *events.Record) { r.Data = append(r.Data[:len(r.Data):len(r.Data)], ' ') },
		"another key":        func(r *events.Record) { r.Key = testkey.Of("mallory").Public() },
		"no key":             func(r *events.Record) { r.Key, r.Signature = "", "" },
		"no signature":       func(r *events.Record) { r.Signature = "" },
		"a signature cut":    func(r *events.Record) { r.Signature = r.Signature[1:] },
		"a signature padded": func(r *events.Record) { r.Signature += "==" },
	} {
		rec := signedRecord(t)
		edit(&rec)
		if err := rec.CheckSignature(key); !errors.Is(err, events.ErrSignature) {
			t.Errorf("%s: %v, want %v", name, err, events.ErrSignature)
		}
	}
}

// The form of a key is checked before it is used.
func TestCheckSignatureRefusesWhatIsNoKey(t *testing.T) {
	key := testkey.Of("alice").Public()
	sig, _ := testkey.Of("alice").Sign([]byte("x"))
	if err := events.CheckSignature(key, []byte("x"), sig); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"empty":           "",
		"another kind":    "A" + key[1:],
		"lower case":      strings.ToLower(key),
		"cut":             key[:len(key)-1],
		"longer":          key + "A",
		"another letter":  key[:20] + string('A'+(key[20]-'A'+1)%26) + key[21:],
		"another sum":     key[:55] + string('A'+(key[55]-'A'+1)%26),
		"a seed's prefix": "S" + key,
	} {
		if err := events.CheckSignature(bad, []byte("x"), sig); !errors.Is(err, events.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
