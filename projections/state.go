package projections

import (
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// State is everything the log says about an environment, folded. It holds no pointer
// to anything outside, marshals to the same JSON for the same log on every machine,
// and is read and written by one goroutine at a time.
type State struct {
	Seq  uint64    `json:"seq"`  // of the newest folded record
	Time time.Time `json:"time"` // when that was recorded

	UUID         string            `json:"uuid"`
	Name         string            `json:"name"`
	AgentVersion version.Number    `json:"agent_version"` // what the environment wants
	Trust        Publication       `json:"trust"`
	Settings     map[string]string `json:"settings"`

	Machines map[string]*Machine     `json:"machines"` // by id
	Units    map[string]*Unit        `json:"units"`    // by name
	Tools    map[string]*StoredTools `json:"tools"`    // by binary version
	Marks    tools.SaidBy            `json:"marks"`    // what publishers say of versions
	Lost     map[string]*LostSource  `json:"lost"`     // sources of tools that cannot be read, by name
	Upgrade  *Upgrade                `json:"upgrade,omitempty"`
	Asked    *Upgrade                `json:"asked,omitempty"` // the newest upgrade.requested until it is judged
	Pending  *Pending                `json:"pending,omitempty"`
	Orders   map[string]*Order       `json:"orders"` // the open ones, by machine id

	Past        []PastUpgrade      `json:"past,omitempty"` // ended upgrades, oldest first
	Requests    map[string]Outcome `json:"requests"`       // what became of each request, by id
	RequestsSeq uint64             `json:"requests_seq"`   // how far the REQUESTS stream has been judged

	Revoked     map[string]time.Time `json:"revoked"`   // keys of machines that were shut out → the credentials until when
	Dismissed   map[string]time.Time `json:"dismissed"` // likewise of operators
	Hosts       map[string]string    `json:"hosts"`     // by a host's digest: the machine that it was last
	NextMachine int                  `json:"next_machine"`
	NextUnit    map[string]int       `json:"next_unit"` // by service

	Skipped map[string]uint64 `json:"skipped,omitempty"` // records this build could not fold, by kind

	recent []string // ids in Requests, oldest first: a function of Requests, so not part of the JSON
}
