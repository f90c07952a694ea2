package wire

import (
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
)

// Check is the answer to UpgradeCheck: everything that forbids an upgrade.
type Check struct {
	Reasons []events.Reason `json:"reasons"`
}

// Resolution is the answer to Resolve: what the client signs beside what the operator typed.
type Resolution struct {
	Machines []warrant.Machine `json:"machines"`       // that it is about
	Newest   version.Number    `json:"newest"`         // that one of them runs
	Unit     *events.UnitSpec  `json:"unit,omitempty"` // what the service of an add-unit is
}

// Waiting is the answer to Pending: the upgrade that waits for approval.
type Waiting struct {
	Upgrade string   `json:"upgrade"` // empty: none does
	Signed  []byte   `json:"signed"`  // its request, byte for byte
	Agreed  []string `json:"agreed"`
	Needed  int      `json:"needed"`
}
