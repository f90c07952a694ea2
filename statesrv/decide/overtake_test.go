package decide

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
)

// Requests are judged in any order that stays within Overtake, and the state server ends
// anywhere in between. Reading the stream again from Reread, the next one judges each request
// that was not judged, and none twice.
func TestNoRequestIsLeftOutOrJudgedTwice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k := newCourt(t)
		n := rapid.IntRange(1, 3*Overtake).Draw(rt, "requests")
		requests := make([]Request, n)
		for i := range requests {
			id := k.newID()
			ask := k.complete(events.Ask{ID: id, Action: events.ActionUnsetEnv, UnsetEnv: []string{"upgrade-policy"}})
			requests[i] = ReadRequest(uint64(i+1), id, testkey.Of("alice").Public(), signAs(t, ask, "alice", events.RequestType))
		}
		judge := func(r Request) {
			d, err := Requested(k.at(), r, Known{})
			if err != nil {
				rt.Fatal(err)
			}
			k.decided(d)
		}
		// waits is the first request that is overtaken by those behind it, up to last.
		waits := rapid.IntRange(0, n-1).Draw(rt, "waits")
		last := rapid.IntRange(waits, min(n, waits+Overtake)-1).Draw(rt, "last")
		for _, r := range append(requests[:waits:waits], requests[waits+1:last+1]...) {
			judge(r)
		}
		for _, r := range requests[min(Reread(k.state), uint64(n)+1)-1:] {
			judge(r)
		}
		judged := map[string]int{}
		for _, rec := range k.recs {
			if rec.Kind == "request.received/1" {
				judged[rec.Correlation]++
			}
		}
		for _, r := range requests {
			if judged[r.ID] != 1 {
				rt.Fatalf("request %d of %d was judged %d times; %d waited, up to %d were judged before", r.Seq, n, judged[r.ID], waits+1, last+1)
			}
		}
	})
}
