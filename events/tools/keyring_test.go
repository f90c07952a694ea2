package tools_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events/tools"
)

var at = time.Date(2015, 9, 15, 12, 0, 0, 0, time.UTC)

// key is a signer made of a fixed seed; public keys are written in hex here.
func key(seed byte) tools.Key {
	secret := ed25519.NewKeyFromSeed(append(make([]byte, ed25519.SeedSize-1), seed))
	sign := func(b []byte) ([]byte, error) { return ed25519.Sign(secret, b), nil }
	return tools.NewKey(hex.EncodeToString(secret.Public().(ed25519.PublicKey)), sign, check, func() time.Time { return at })
}

func check(key string, b, sig []byte) error {
	public, err := hex.DecodeString(key)
	if err != nil || len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, b, sig) {
		return errors.New("no")
	}
	return nil
}

func TestAKeyBelievesWhatItSigned(t *testing.T) {
	k := key(1)
	want := tools.Statement{Path: "p", Stream: "released", Counter: 7, Expires: at.Add(time.Second), Signer: k.Public}
	sig, err := k.Sign(tools.Statement{Path: "p", Stream: "released", Counter: 7, Expires: at.Add(time.Second), Signer: "somebody else"}, []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Verify("p", []byte("content"), sig); err != nil || got != want {
		t.Fatalf("verified %+v, %v", got, err)
	}
	for name, err := range map[string]error{
		"other content":  second(k.Verify("p", []byte("contenT"), sig)),
		"other path":     second(k.Verify("q", []byte("content"), sig)),
		"another key":    second(key(2).Verify("p", []byte("content"), sig)),
		"nobody":         second(tools.Keyring{}.Verify("p", []byte("content"), sig)),
		"after its time": second(tools.Keyring{Trusted: []string{k.Public}, Check: check, Now: func() time.Time { return want.Expires }}.Verify("p", []byte("content"), sig)),
	} {
		wanted := map[string]error{"another key": tools.ErrSigner, "nobody": tools.ErrSigner, "after its time": tools.ErrExpired}[name]
		if wanted == nil {
			wanted = tools.ErrSignature
		}
		if !errors.Is(err, wanted) {
			t.Errorf("%s: %v, want %v", name, err, wanted)
		}
	}
}

func second(_ tools.Statement, err error) error { return err }

// Whatever lies beside a file, only the very signature is believed.
func FuzzVerify(f *testing.F) {
	k := key(1)
	st := tools.Statement{Path: "p", Counter: 1, Expires: at.Add(time.Hour)}
	good, err := k.Sign(st, []byte("content"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, []byte("content"))
	f.Add([]byte("{}"), []byte(""))
	f.Add([]byte(`{"statement":"bnVsbA==","signature":null}`), []byte("content"))
	f.Fuzz(func(t *testing.T, sig, content []byte) {
		got, err := k.Verify("p", content, sig)
		if err == nil && (string(content) != "content" || got.Counter != 1 || got.Signer != k.Public) {
			t.Fatalf("believed %+v over %q", got, content)
		}
	})
}
