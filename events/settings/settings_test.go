package settings_test

import (
	"testing"
	"time"

	"github.com/jujube-project/jujube/events/settings"
)

func TestEveryDefaultIsAllowed(t *testing.T) {
	for _, s := range settings.All {
		if s.Default == "" {
			continue // nothing is set, which unset-env does and set-env cannot
		}
		if err := s.Check(s.Default); err != nil {
			t.Errorf("%s: %v", s.Key, err)
		}
	}
}

func TestKeysAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range settings.All {
		if seen[s.Key] {
			t.Errorf("%s is there twice", s.Key)
		}
		seen[s.Key] = true
	}
}

func TestValuesThatAreRefused(t *testing.T) {
	for key, values := range map[string][]string{
		"agent-metadata-url":     {"tools", "ftp://host/tools", "http://"},
		"agent-stream":           {"", "stable"},
		"agent-download-rate":    {"-1", "fast"},
		"agent-credentials-life": {"9s", "721h", "week"},
		"enrol-policy":           {"yes"},
		"tools-source":           {"nowhere"},
		"tools-signers":          {"abc"},
		"tools-unsigned":         {"/srv/tools relative"},
		"upgrade-health-window":  {"-1s", "61m"},
	} {
		s, ok := settings.Of(key)
		if !ok {
			t.Fatalf("there is no setting %s", key)
		}
		for _, v := range values {
			if s.Check(v) == nil {
				t.Errorf("%s may be %q", key, v)
			}
		}
	}
}

func TestWhatAnotherVersionSetIsRead(t *testing.T) {
	set := map[string]string{"trust-expiry": "a day", "upgrade-max-in-flight": "many"}
	if d := settings.Duration(set, "trust-expiry"); d != 24*time.Hour {
		t.Errorf("trust-expiry is %v", d)
	}
	if n := settings.Number(set, "upgrade-max-in-flight"); n != 0 {
		t.Errorf("upgrade-max-in-flight is %d", n)
	}
}

// Every setting that is listed as changing what is believed is one, and has its reason.
func TestBeliefIsOfSettings(t *testing.T) {
	for _, key := range settings.Belief() {
		if _, ok := settings.Of(key); !ok || settings.ChangesBelief(key) == "" {
			t.Errorf("%s: no setting, or no reason", key)
		}
	}
	if settings.ChangesBelief("upgrade-policy") != "" {
		t.Error("upgrade-policy changes what is believed")
	}
}
