package tuf_test

import (
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// Five machines are away while every key of every role is replaced three times. One of them saw the first
// replacement, one the second. All of them catch up with one bundle. From then on they refuse what the old
// keys sign.
func TestMachinesAwayForThreeRotationsCatchUp(t *testing.T) {
	both(t, func(t *testing.T, s *site) {
		first := s.publish(start)
		var away []tuf.Trusted
		for range 5 {
			away = append(away, s.begin(first))
		}
		now := start
		for g := 1; g <= 3; g++ {
			now = now.Add(10 * day)
			s.rotate(g, now)
			b := s.publish(now)
			if g < 3 { // this machine is connected for a moment
				var err error
				away[g], err = away[g].Update(b, now)
				s.must(err)
			}
		}
		s.must(s.repo.SetTools(now.Add(90*day), archive("1.26.0")))
		last := s.publish(now)
		for i, trusted := range away {
			trusted, err := trusted.Update(last, now)
			if err != nil {
				t.Fatalf("machine %d: %v", i, err)
			}
			if trusted.Versions().Root != 4 || trusted.Tools(archive("1.26.0")) != nil {
				t.Errorf("machine %d has %+v", i, trusted.Versions())
			}
			s.refusesOldKeys(trusted, now)
		}
	})
}

// refusesOldKeys lets the first generation's keys sign each role in turn.
func (s *site) refusesOldKeys(trusted tuf.Trusted, now time.Time) {
	s.t.Helper()
	for _, role := range []string{tuf.Root, tuf.Targets, tuf.Snapshot, tuf.Timestamp} {
		forged := forge(s.t, s.repo.Bundle(), role, nil, s.firstKeys(role)...)
		if role != tuf.Root {
			forged = relink(s.t, forged, role, s.snap, s.stamp)
		}
		after, err := trusted.Update(forged, now)
		if events.CodeOf(err) != events.CodeTUFThreshold {
			s.t.Errorf("%s signed by the keys of before: %v", role, err)
		}
		if after.Versions() != trusted.Versions() {
			s.t.Errorf("%s signed by the keys of before was half taken", role)
		}
	}
}

func (s *site) firstKeys(role string) []ed25519.PrivateKey {
	names := map[string][]string{
		tuf.Root: {"root-a", "root-b", "root-c"}, tuf.Targets: {"rel-a", "rel-b", "rel-c"},
		tuf.Snapshot: {"snap"}, tuf.Timestamp: {"stamp"},
	}[role]
	var keys []ed25519.PrivateKey
	for _, n := range names {
		keys = append(keys, key(n))
	}
	return keys
}

// 255 and 256 new roots are accepted in one cycle. Of 257 the first 256 are accepted, with a code that says
// so, and the next cycle accepts the last one.
func TestBI27ChainOfRoots(t *testing.T) {
	s := newSite(t, 1)
	trusted := s.begin(s.publish(start))
	bundle := s.publish(start)
	at := map[int]tuf.Bundle{}
	for n := 1; n <= 257; n++ {
		bundle = forge(t, bundle, tuf.Root, nil, key("root-a"))
		at[n] = bundle
	}
	for _, n := range []int{255, 256} {
		t.Run(fmt.Sprintf("BI-27 %d roots", n), func(t *testing.T) {
			got, err := trusted.Update(at[n], start)
			if err != nil || got.Versions().Root != int64(n+1) {
				t.Errorf("root %d: %v", got.Versions().Root, err)
			}
		})
	}
	t.Run("BI-27 257 roots", func(t *testing.T) {
		got, err := trusted.Update(at[257], start)
		refused(t, err, events.CodeTUFTooManyRoots)
		if v := got.Versions(); v.Root != 257 || v.Timestamp != 1 {
			t.Errorf("after the first cycle: %+v", v)
		}
		got, err = tuf.ParseTrusted(got.Marshal()) // a restart in between
		if err != nil {
			t.Fatal(err)
		}
		got, err = got.Update(at[257], start)
		if err != nil || got.Versions().Root != 258 {
			t.Errorf("after the second: root %d: %v", got.Versions().Root, err)
		}
	})
}
