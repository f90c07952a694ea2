package status

import (
	"bufio"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/plain"
	"github.com/jujube-project/jujube/projections/targets"
)

// PendingRequest is a request that waits for more operators to agree. An upgrade that waits is the
// Upgrade of the Status.
type PendingRequest struct {
	ID       string   `json:"id"`
	Action   string   `json:"action"`
	Operator string   `json:"operator"` // who asked
	What     string   `json:"what"`     // what is asked, in words
	Agreed   []string `json:"agreed"`   // who agrees; the one who asked comes first
	Missing  int      `json:"missing"`  // how many must still agree
	Able     []string `json:"able"`     // whose approval would count
	Until    string   `json:"until"`    // it does not wait longer
	Next     string   `json:"next"`     // the command with which one of Able agrees
}

func makeRequests(s *projections.State) []PendingRequest {
	var list []PendingRequest
	for _, id := range slices.Sorted(maps.Keys(s.Pending)) {
		if w := s.Pending[id]; w.Upgrade == nil {
			list = append(list, makeRequest(s, w))
		}
	}
	return list
}

func makeRequest(s *projections.State, w *projections.Pending) PendingRequest {
	r := PendingRequest{
		ID: w.Request.ID, Action: w.Request.Action, Operator: w.Request.Operator, What: w.Request.Action,
		Agreed: w.Agreed, Missing: w.Missing, Able: []string{}, Until: stamp(w.Until), Next: approve(w),
	}
	if _, ask, err := events.ParseSigned(w.Request.Signed); err == nil {
		r.What = ask.InWords()[0]
		r.Able = append(r.Able, warrant.MayAgree(s.Trust.Roster, targets.Of(s, ask))...)
		r.Able = slices.DeleteFunc(r.Able, func(name string) bool { return slices.Contains(w.Agreed, name) })
	}
	return r
}

// approve is the command with which an operator agrees.
func approve(w *projections.Pending) string { return "juju approve " + w.Request.ID }

func tabularRequests(out *bufio.Writer, st Status, o Options) {
	if len(st.Requests) == 0 {
		return
	}
	t := newTable("ID", "ACTION", "OPERATOR", "AGREED", "UNTIL")
	for _, r := range st.Requests {
		t.add(r.ID, r.Action, r.Operator, fmt.Sprintf("%d/%d", len(r.Agreed), len(r.Agreed)+r.Missing), o.time(r.Until))
	}
	t.write(out, "Requests")
	for _, r := range st.Requests {
		able := "nobody else may approve it"
		if len(r.Able) > 0 {
			able = some(r.Able) + " may: " + r.Next
		}
		fmt.Fprintf(out, "waiting: %s (%s agreed; %s)\n", plain.Text(r.What), plain.Text(strings.Join(r.Agreed, ", ")), plain.Text(able))
	}
}
