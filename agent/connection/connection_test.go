package connection

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
)

func confIn(t *testing.T) agent.Conf {
	t.Helper()
	conf := agent.Conf{Tag: "machine-3", DataDir: t.TempDir(), Environment: "e"}
	if err := os.MkdirAll(conf.Layout().Agent(), 0o700); err != nil {
		t.Fatal(err)
	}
	return conf
}

// A question that was cut off is asked again with the same nonce; the next generation, and a
// file that cannot be read, have a new one.
func TestNonceOfAGeneration(t *testing.T) {
	conf, made := confIn(t), 0
	newID := func() string { made++; return fmt.Sprint("nonce ", made) }
	want := func(generation uint64, nonce string) {
		t.Helper()
		if got, err := (Files{conf: conf, newID: newID}).Nonce(generation); err != nil || got != nonce {
			t.Errorf("generation %d: %q, %v, want %q", generation, got, err, nonce)
		}
	}
	want(4, "nonce 1")
	want(4, "nonce 1")
	want(5, "nonce 2")
	if err := os.WriteFile(conf.RenewalFile(), []byte(`{"generation":5`), 0o600); err != nil {
		t.Fatal(err)
	}
	want(5, "nonce 3")
	want(5, "nonce 3")
}

// An enrolment that was cut off is repeated with the same key; a key that others can read is
// not used.
func TestHostKeyIsMadeOnce(t *testing.T) {
	conf := confIn(t)
	first, err := hostKey(conf)
	again, errAgain := hostKey(conf)
	if err != nil || errAgain != nil || first.Public() != again.Public() {
		t.Errorf("two keys, %v, %v", err, errAgain)
	}
	if err := os.Chmod(conf.CredentialsFile()+".pending", 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := hostKey(conf); err == nil {
		t.Error("a key that everybody can read was used")
	}
}

func TestCredentialsAreDueAfterHalfOfTheirLife(t *testing.T) {
	began := time.Unix(1_000_000, 0)
	if got := due(bus.Life{Issued: began, Ends: began.Add(10 * time.Hour)}).Sub(began); got != 5*time.Hour {
		t.Errorf("due after %v", got)
	}
}

// Without credentials nothing is waited for: the renewal says what is wrong with them.
func TestMissingCredentialsAreDueNow(t *testing.T) {
	c := New(Config{Conf: confIn(t), NewID: func() string { return "i" }})
	if got := c.untilDue(); got != 0 {
		t.Errorf("due in %v", got)
	}
	if c.Connected() {
		t.Error("it is connected before it ran")
	}
}
