package tuf_test

import (
	"bytes"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// Whatever arrives as a bundle is refused with a code, or is the same bundle after it was written and read.
func FuzzParseBundle(f *testing.F) {
	f.Add(newSite(f, 1).publish(start).Marshal())
	f.Add([]byte(`{"roots":[null],"files":{"a":""}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		bundle, err := tuf.ParseBundle(b)
		if err != nil {
			if events.CodeOf(err) == "" {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		again, err := tuf.ParseBundle(bundle.Marshal())
		if err != nil || !bytes.Equal(again.Marshal(), bundle.Marshal()) {
			t.Fatalf("it is read as something else: %v", err)
		}
	})
}

func FuzzParseTrusted(f *testing.F) {
	s := newSite(f, 1)
	f.Add(s.begin(s.publish(start)).Marshal())
	f.Add([]byte(`{"root":"e30="}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		trusted, err := tuf.ParseTrusted(b)
		if err != nil {
			if events.CodeOf(err) == "" {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		if again, err := tuf.ParseTrusted(trusted.Marshal()); err != nil || again.Versions() != trusted.Versions() {
			t.Fatalf("it is read as something else: %v", err)
		}
	})
}

// Documents are changed after they were signed: only what was published is accepted.
func FuzzUpdate(f *testing.F) {
	s := newSite(f, 2)
	trusted := s.begin(s.publish(start))
	s.must(s.repo.SetTools(start.Add(90*day), archive("1.26.0")))
	s.must(s.repo.SetRoles(s.roles(), start.Add(365*day)))
	_, err := s.repo.Sign(tuf.Root, signers("root-a", "root-b")...)
	s.must(err)
	next := s.publish(start)
	root := next.Roots[1]
	f.Add(root, next.Timestamp, next.Snapshot, next.Targets, next.Files[tuf.FileOperators])
	f.Fuzz(func(t *testing.T, root, timestamp, snapshot, targets, operators []byte) {
		b := copied(next)
		b.Roots[1], b.Timestamp, b.Snapshot, b.Targets, b.Files[tuf.FileOperators] = root, timestamp, snapshot, targets, operators
		after, err := trusted.Update(b, start)
		switch {
		case err != nil && events.CodeOf(err) == "":
			t.Fatalf("%v is no refusal", err)
		case err != nil && !bytes.Equal(after.Marshal(), trusted.Marshal()):
			t.Fatal("what was refused changed what is trusted")
		case err == nil && after.Tools(archive("1.26.0")) != nil && after.Versions().Targets > 1:
			t.Fatal("targets that nobody signed were taken")
		}
		repo, err := tuf.OpenRepository(b)
		if err == nil {
			_, err = repo.Content()
		}
		if err != nil && events.CodeOf(err) == "" {
			t.Fatalf("%v is no refusal", err)
		}
	})
}
