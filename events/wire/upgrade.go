package wire

import (
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
)

// Check is the answer to UpgradeCheck: every reason for which the upgrade would be refused, if
// it were asked for now. None: it would be accepted.
type Check struct {
	Reasons []events.Reason `json:"reasons"`
}

// Resolution is the answer to Resolve: what a request says beside what the operator typed. The
// client puts it into the request and signs all of it.
type Resolution struct {
	Machines []warrant.Machine `json:"machines"`       // that the request is about
	Newest   version.Number    `json:"newest"`         // that one of them runs; older clients sign by it, no other does
	Unit     *events.UnitSpec  `json:"unit,omitempty"` // for an add-unit: what a unit of its service is; older clients sign it, no other does
}

// Waiting is the answer to Pending: a request that waits until more operators approve it.
type Waiting struct {
	ID     string   `json:"upgrade"` // of the request; empty: it does not wait
	Signed []byte   `json:"signed"`  // the request, byte for byte
	Agreed []string `json:"agreed"`  // names of operators; the first one asked
	Needed int      `json:"needed"`  // how many operators must agree
}
