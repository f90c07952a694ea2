package decide

import (
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// enrol lets a host enrol; the answer is empty, or why it was refused.
func (k *desk) enrol(r wire.EnrolRequest) string {
	d, out := Enrol(k.at(), r, nil)
	k.decided(d)
	if out.Refused != nil {
		return out.Refused.Text
	}
	return ""
}

func TestEnrolment(t *testing.T) {
	good := wire.EnrolRequest{Environment: "env", Machine: "3", TokenKey: "T", Key: "K", Hostname: "h", Version: "1.25.0-trusty-amd64"}
	change := func(f func(*wire.EnrolRequest)) wire.EnrolRequest { r := good; f(&r); return r }
	k := newDesk(t)
	k.state.Machines["3"] = &projections.Machine{ID: "3", Life: projections.LifeInvited, TokenKey: "T", Expires: judged.Add(time.Minute)}
	for name, c := range map[string]struct {
		req  wire.EnrolRequest
		want string
	}{
		"another token":       {change(func(r *wire.EnrolRequest) { r.TokenKey = "other" }), "not the one"},
		"another environment": {change(func(r *wire.EnrolRequest) { r.Environment = "x" }), "this one is env"},
		"nobody invited":      {change(func(r *wire.EnrolRequest) { r.Machine = "9" }), "nobody was invited"},
		"a taken place":       {change(func(r *wire.EnrolRequest) { r.Machine = "1" }), "used already"},
		"no version":          {change(func(r *wire.EnrolRequest) { r.Version = "x" }), "binary version"},
	} {
		if got := k.enrol(c.req); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	k.want("")
	for range 2 { // the answer may be lost: the same host asks again
		if got := k.enrol(good); got != "" {
			t.Fatal(got)
		}
	}
	k.want("machine.enrolled/1")
	if got := k.enrol(change(func(r *wire.EnrolRequest) { r.Key = "thief" })); got == "" {
		t.Fatal("the token was used twice")
	}
	late := newDesk(t)
	late.state.Machines["3"] = &projections.Machine{ID: "3", Life: projections.LifeInvited, TokenKey: "T", Expires: judged.Add(-time.Minute)}
	if got := late.enrol(good); !strings.Contains(got, "expired") {
		t.Fatalf("an expired token: %q", got)
	}
}
