package projections_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// Settings say whose trees are taken in only until release managers have signed that. What is written
// into the log as a setting afterwards changes nothing (case B01).
func TestB01SignedPublishersCountAndSettingsDoNot(t *testing.T) {
	s := projections.New()
	s.Settings["tools-source"], s.Settings["tools-signers"] = "/srv/old", "aaaa bbbb"
	if diff := cmp.Diff(events.Publishers{Signers: []string{"aaaa", "bbbb"}, Sources: []string{"/srv/old"}}, s.Publishers(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("an environment of before: %s", diff)
	}
	signed := events.Publishers{Signers: []string{"cccc"}, Stream: "proposed"}
	s.Trust.Publishers = &signed
	s.Settings["tools-source"], s.Settings["tools-unsigned"] = "/srv/evil", "/srv/evil"
	if diff := cmp.Diff(signed, s.Publishers()); diff != "" {
		t.Error(diff)
	}
}
