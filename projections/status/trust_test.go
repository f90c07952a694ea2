package status_test

import (
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/status"
)

// S7: the status shows metadata that nobody signs anew, before machines refuse it and afterwards.
func TestOldMetadataIsShown(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]string{
		0: status.TrustFresh, 19 * time.Hour: status.TrustFresh, 20 * time.Hour: status.TrustStale, 24 * time.Hour: status.TrustExpired,
	} {
		s := projections.New()
		s.Trust = projections.Publication{
			TrustPublished: events.TrustPublished{Fresh: begin.Add(24 * time.Hour), Expires: begin.Add(100 * time.Hour)}, Seq: 1,
			Time: begin,
		}
		s.Time = begin.Add(after)
		if got := status.Make(s).EnvironmentStatus.Trust.State; got != want {
			t.Errorf("after %v it is %s, want %s", after, got, want)
		}
	}
	s := projections.New()
	s.Trust = projections.Publication{TrustPublished: events.TrustPublished{Fresh: begin.Add(24 * time.Hour), Expires: begin}, Seq: 1, Time: begin}
	s.Time = begin
	if got := status.Make(s).EnvironmentStatus.Trust.State; got != status.TrustExpired {
		t.Errorf("what people signed has expired, and it is %s", got)
	}
}
