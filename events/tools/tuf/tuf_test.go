package tuf_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
)

// both runs a test with a site of one key and with one in which two of three keys must sign.
func both(t *testing.T, f func(t *testing.T, s *site)) {
	for _, need := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d-of-%d", need, 2*need-1), func(t *testing.T) { f(t, newSite(t, need)) })
	}
}

func TestPublicationIsTakenWhole(t *testing.T) {
	both(t, func(t *testing.T, s *site) {
		b := s.publish(start)
		back, err := tuf.ParseBundle(b.Marshal())
		s.must(err)
		if d := cmp.Diff(b, back); d != "" {
			t.Error(d)
		}
		trusted := s.begin(back)
		if d := cmp.Diff(roster("alice"), trusted.Roster()); d != "" {
			t.Error(d)
		}
		if trusted.Floor() != number("1.24.0") {
			t.Errorf("the floor is %s", trusted.Floor())
		}
		if got := trusted.Versions(); got != (events.TrustVersions{Root: 1, Targets: 1, Snapshot: 1, Timestamp: 1}) {
			t.Errorf("versions %+v", got)
		}
		stamp, whole := trusted.Expires()
		if !stamp.Equal(start.Add(day)) || !whole.Equal(stamp) {
			t.Errorf("expires %s, first %s", stamp, whole)
		}
		s.must(trusted.Tools(archive("1.25.1")))
		if _, whole := (tuf.Trusted{}).Expires(); !whole.IsZero() {
			t.Errorf("what trusts nothing expires %s", whole)
		}

		again, err := tuf.ParseTrusted(trusted.Marshal())
		s.must(err)
		if !bytes.Equal(again.Marshal(), trusted.Marshal()) || again.Tools(archive("1.25.1")) != nil {
			t.Error("what was trusted comes back as something else")
		}
	})
}

func TestToolsAreThoseThatWereSigned(t *testing.T) {
	s := newSite(t, 1)
	s.must(s.repo.SetJSON(start.Add(90*day), tuf.FileRevoked, events.Revoked{Artefacts: []string{archive("1.25.0").SHA256}}))
	trusted := s.begin(s.publish(start))
	other, long := archive("1.25.1"), archive("1.25.1")
	other.SHA256 = archive("1.25.0").SHA256
	long.Size++
	refused(t, trusted.Tools(archive("1.26.0")), events.CodeTargetUnknown) // BI-49
	refused(t, trusted.Tools(other), events.CodeDigestDisagree)            // BI-50
	refused(t, trusted.Tools(long), events.CodeDigestDisagree)             // BI-50
	refused(t, trusted.Tools(archive("1.25.0")), version.CodeRevoked)      //
	refused(t, tuf.Trusted{}.Tools(archive("1.25.1")), events.CodeTargetUnknown)
}

func TestSignersSignInTurn(t *testing.T) {
	s := newSite(t, 2)
	standing := func(role string) tuf.Standing {
		t.Helper()
		got, err := s.repo.Standing(role)
		s.must(err)
		return got
	}
	carry := func() { // hands the draft to the next person
		t.Helper()
		b, err := tuf.ParseBundle(s.repo.Bundle().Marshal())
		s.must(err)
		s.repo, err = tuf.OpenRepository(b)
		s.must(err)
	}
	if _, err := s.repo.Sign(tuf.Targets, signers("rel-a", "stranger")...); err != nil {
		t.Fatal(err)
	}
	if got := standing(tuf.Targets); got.Complete() || got.Have != 1 || got.Need != 2 {
		t.Errorf("after one signer: %+v", got)
	}
	s.must(s.repo.Freshen(start, tuf.DefaultLives, signers("snap", "stamp")...))
	_, err := tuf.Open(s.repo.Anchor(), s.repo.Bundle(), start)
	refused(t, err, events.CodeTUFThreshold)
	carry()
	if _, err := s.repo.Sign(tuf.Targets, signers("stranger")...); err == nil {
		t.Error("a stranger signed")
	}
	s.rel = []string{"rel-b", "rel-a", "rel-c"}
	s.begin(s.publish(start))

	// The next root: old and new threshold.
	s.root = []string{"root-a", "root-x", "root-y"}
	s.must(s.repo.SetRoles(s.roles(), start.Add(365*day)))
	for i, name := range []string{"root-a", "root-b", "root-x"} {
		if standing(tuf.Root).Complete() {
			t.Errorf("complete after %d signers", i)
		}
		carry()
		_, err := s.repo.Sign(tuf.Root, signers(name)...)
		s.must(err)
	}
	if got := standing(tuf.Root); !got.Complete() || got.OldHave != 2 || got.Have != 2 || got.Version != 2 {
		t.Errorf("after all signers: %+v", got)
	}
	before := s.repo.Bundle().Root(s.repo.Anchor())
	_, err = s.repo.Sign(tuf.Root, signers("root-y")...)
	s.must(err)
	if !bytes.Equal(before, s.repo.Bundle().Roots[0]) {
		t.Error("a pinned root changed")
	}
}

func TestFreshenCountsOn(t *testing.T) {
	s := newSite(t, 1)
	trusted := s.begin(s.publish(start))
	staged, err := tuf.OpenRepository(s.repo.Bundle()) // the copy of somebody else, as it is now
	s.must(err)
	for i, step := range []struct {
		after    time.Duration
		snapshot int64
	}{{12 * time.Hour, 1}, {3 * day, 1}, {4 * day, 2}, {5 * day, 2}} {
		now := start.Add(step.after)
		if trusted, err = trusted.Update(s.publish(now), now); err != nil {
			t.Fatal(err)
		}
		if v := trusted.Versions(); v.Timestamp != int64(i+2) || v.Snapshot != step.snapshot {
			t.Errorf("after %s: %+v", step.after, v)
		}
	}
	s.must(staged.SetTools(start.Add(90*day), archive("1.26.0")))
	_, err = staged.Sign(tuf.Targets, signers("rel-a")...)
	s.must(err)
	staged.After(s.repo.Bundle())
	now := start.Add(6 * day)
	s.must(staged.Freshen(now, tuf.DefaultLives, signers("snap", "stamp")...))
	if trusted, err = trusted.Update(staged.Bundle(), now); err != nil {
		t.Fatal(err)
	}
	s.must(trusted.Tools(archive("1.26.0")))
	if err := staged.Freshen(now, tuf.DefaultLives, signers("snap")...); err == nil {
		t.Error("a timestamp without a key")
	}
}

// What has expired by a signed time stays expired when the clock is set back.
func TestTimeDoesNotGoBack(t *testing.T) {
	s := newSite(t, 1)
	old := s.publish(start)
	trusted := s.begin(old)
	now := start.Add(3 * day)
	trusted, err := trusted.Update(s.publish(now), now)
	s.must(err)
	if got := trusted.Now(start); !got.Equal(now) {
		t.Errorf("now is %s", got)
	}
	later := trusted.Witness(now.Add(2 * day))
	_, err = later.Update(s.repo.Bundle(), start)
	refused(t, err, events.CodeTUFExpired)
	if got := later.Witness(start).Now(start); !got.Equal(now.Add(2 * day)) {
		t.Errorf("the floor of time went down to %s", got)
	}
}
