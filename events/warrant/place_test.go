package warrant_test

import (
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
)

type oneServer struct{}

func (oneServer) Roster() events.Roster {
	return events.Roster{StateServers: []string{testkey.Of("server").Public()}}
}
func (oneServer) Floor() version.Number   { return version.Number{} }
func (oneServer) Revoked() events.Revoked { return events.Revoked{} }
func (oneServer) Tools(tools.Tools) error { return nil }

// B05: an old withdrawal, genuine to the byte, counts where it was signed for and nowhere else. One that a
// state server of before wrote has no place, and is obeyed as ever.
func TestB05ARecordCountsAtItsPlace(t *testing.T) {
	r := warrant.Reader{Environment: "env", Trust: oneServer{}, Now: time.Unix(1, 0)}
	rec, err := events.New(events.Envelope{ID: "r", Time: time.Unix(1, 0), Actor: "state-server-0"}, &events.OrderSuperseded{Order: "o", Machine: "1"})
	if err != nil {
		t.Fatal(err)
	}
	rec.Seq = 7
	for name, c := range map[string]struct {
		environment string
		seq         uint64
		code        string
	}{
		"where it lay":           {"env", 7, ""},
		"once more, later":       {"env", 9, events.CodeOrderSignature},
		"in another environment": {"other", 7, events.CodeOrderSignature},
		"of a server of before":  {"", 9, ""},
	} {
		signed := rec
		if c.environment != "" {
			signed = rec.Placed(c.environment)
		}
		if signed, err = signed.Signed(testkey.Of("server")); err != nil {
			t.Fatal(err)
		}
		signed.Seq = c.seq
		if got := events.CodeOf(r.Server(signed)); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
}
