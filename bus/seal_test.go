package bus

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/nats-io/nkeys"
)

// A text is read by the one key that it was sealed for, and only as what it is about.
func TestSealedForOneKey(t *testing.T) {
	var keys [2]*Identity
	for i := range keys {
		var err error
		if keys[i], err = NewIdentity(); err != nil {
			t.Fatal(err)
		}
	}
	machine, other := keys[0], keys[1]
	about, text := []byte("a request"), []byte("hunter2")
	box, err := Seal(machine.Public(), about, text)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(box, text) {
		t.Error("it is not sealed")
	}
	if got, err := machine.Open(about, box); err != nil || !bytes.Equal(got, text) {
		t.Errorf("%q, %v", got, err)
	}
	changed := append([]byte(nil), box...)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another key":    func() ([]byte, error) { return other.Open(about, box) },
		"another matter": func() ([]byte, error) { return machine.Open([]byte("another request"), box) },
		"changed":        func() ([]byte, error) { return machine.Open(about, changed) },
		"nothing":        func() ([]byte, error) { return machine.Open(about, nil) },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s: it was opened: %q", name, got)
		}
	}
	for _, key := range []string{"", "UX", machine.Public() + "A", strings.Replace(machine.Public(), "U", "A", 1)} {
		if _, err := Seal(key, about, text); err == nil {
			t.Errorf("sealed for %q", key)
		}
	}
}

// The two forms of a key are those of libsodium. Source: its test ed25519_convert.c.
func TestTheX25519FormOfAKey(t *testing.T) {
	seed := unhex(t, "421151a459faeade3d247115f94aedae42318124095afabe4d1451a559faedee")
	pair, err := nkeys.FromRawSeed(nkeys.PrefixByteUser, seed)
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	edwards, err := nkeys.Decode(nkeys.PrefixByteUser, []byte(public))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(montgomery(edwards)), "f1814f0e8ff1043d8a44d25babff3cedcae6c22c3edaa48f857ae70de2baae50"; got != want {
		t.Errorf("the form of X25519 is %s, want %s", got, want)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
