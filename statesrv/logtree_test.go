package statesrv_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	merkle "github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/statesrv"
)

// grow changes some settings, so that the log has more records, and gives the log's end.
func (p *place) grow(settings int) uint64 {
	p.Helper()
	for n := range settings {
		id := p.publish(events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"agent-lost-after": fmt.Sprintf("%dm", n+2)}})
		p.wait(0, "the request", func(r events.Record) bool { return r.Kind == "setting.changed/1" && r.Correlation == id })
	}
	last, err := p.log.Last(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	return last
}

// back waits until the operator is connected again.
func (p *place) back() {
	p.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if _, err := p.log.Last(p.Context()); err == nil {
			return
		}
	}
	p.Fatal("NATS did not come back")
}

// signed waits until NATS keeps a checkpoint of at least size records.
func (p *place) signed(size uint64) merkle.Checkpoint {
	p.Helper()
	v, err := merkle.NewVerifiers(bustest.Environment, []string{p.key.Public()})
	if err != nil {
		p.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		note, err := p.alice.Checkpoint(p.Context())
		if err != nil {
			continue
		}
		c, err := v.Open(note)
		if err != nil {
			p.Fatal(err)
		}
		if c.Size >= size {
			return c
		}
	}
	p.Fatalf("no checkpoint of %d records", size)
	return merkle.Checkpoint{}
}

// refuses starts a state server that must not start, and gives its reason.
func (p *place) refuses(change ...func(*statesrv.Config)) string {
	p.Helper()
	s, ended := p.run(change...)
	select {
	case err := <-ended:
		if err == nil {
			p.Fatal("the state server ended without a reason")
		}
		return err.Error()
	case <-s.Ready():
		p.Fatal("the state server leads")
	case <-time.After(20 * time.Second):
		p.Fatal("the state server neither leads nor refuses")
	}
	return ""
}

// If no record was lost, a state server goes on, whatever became of the hashes of its tree.
func TestTreeIsFoundAgain(t *testing.T) {
	p := newPlace(t)
	p.start()
	last := p.grow(3)
	first := p.signed(last)
	p.stop()
	for name, damage := range map[string]func() error{
		"nothing":             func() error { return nil },
		"the hashes are gone": func() error { return os.Remove(filepath.Join(p.dir, "tree", "hashes")) },
		"the hashes are damaged": func() error {
			return os.WriteFile(filepath.Join(p.dir, "tree", "hashes"), make([]byte, 64*200), 0o600)
		},
		"the hashes have a torn end": func() error { return os.Truncate(filepath.Join(p.dir, "tree", "hashes"), 32*5+7) },
		"another host leads":         func() error { return os.RemoveAll(p.dir) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := errors.Join(damage(), os.MkdirAll(p.dir, 0o700)); err != nil {
				t.Fatal(err)
			}
			p.start()
			last = p.grow(1)
			c := p.signed(last)
			if c.Size <= first.Size {
				t.Errorf("the newest checkpoint is %v", c.Head)
			}
			p.stop()
		})
	}
}

func TestBI82TruncatedLogIsRefused(t *testing.T) {
	p := newPlace(t)
	p.start()
	last := p.grow(3)
	p.signed(last)
	p.stop()
	cut := last - 2
	p.bus.Rewrite(func(seq uint64, data []byte) []byte {
		if seq > cut {
			return nil
		}
		return data
	})
	for name, host := range map[string]string{"BI-82 the host that wrote it": p.dir, "BI-82 another host, by what NATS keeps": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			why := p.refuses(func(cfg *statesrv.Config) { cfg.Dir = host })
			for _, want := range []string{"log-gap", fmt.Sprintf("holds %d records", cut), fmt.Sprintf("%d were signed", last)} {
				if !strings.Contains(why, want) {
					t.Errorf("it says %q, without %q", why, want)
				}
			}
		})
	}
}

func TestBI83AlteredRecordIsRefused(t *testing.T) {
	p := newPlace(t)
	p.start()
	last := p.grow(3)
	p.signed(last)
	p.stop()
	p.bus.Rewrite(func(seq uint64, data []byte) []byte {
		if seq == last {
			return []byte(strings.Replace(string(data), `"4m"`, `"9m"`, 1))
		}
		return data
	})
	for name, c := range map[string]struct{ dir, want string }{
		"BI-83 the host that wrote it":    {p.dir, fmt.Sprintf("log-tamper: the record at %d", last)},
		"BI-83 another host, by the root": {t.TempDir(), "log-tamper: its first"},
	} {
		t.Run(name, func(t *testing.T) {
			if why := p.refuses(func(cfg *statesrv.Config) { cfg.Dir = c.dir }); !strings.Contains(why, c.want) {
				t.Errorf("it says %q, without %q", why, c.want)
			}
		})
	}
	t.Run("BI-83 the log as it was", func(t *testing.T) {
		p.bus.Rewrite(func(seq uint64, data []byte) []byte {
			return []byte(strings.Replace(string(data), `"9m"`, `"4m"`, 1))
		})
		p.start()
	})
}

func TestBI81DeletedRecordIsRefusedAtTheStart(t *testing.T) {
	p := newPlace(t)
	p.bus.Loosen()
	p.back()
	p.start()
	last := p.grow(3)
	p.signed(last)
	p.stop()
	if err := os.Remove(filepath.Join(p.dir, "snapshot.json")); err != nil {
		t.Fatal(err)
	}
	p.bus.Delete(3)
	if why := p.refuses(); !strings.Contains(why, "log-gap") {
		t.Errorf("it says %q, without log-gap", why)
	}
}
