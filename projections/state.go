package projections

import (
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
)

// State is everything that the log says about an environment. It has no pointer to anything outside of
// it, and the same log gives the same JSON on every machine. Only one goroutine at a time may use it.
//
// The JSON is what a snapshot holds and what the digest is computed from: see Schema before you change
// a field.
type State struct {
	Seq  uint64    `json:"seq"`  // of the newest folded record
	Time time.Time `json:"time"` // when that was recorded

	UUID         string            `json:"uuid"`
	Name         string            `json:"name"`
	AgentVersion version.Number    `json:"agent_version"` // the version that the environment is set to
	Trust        Publication       `json:"trust"`
	Root         string            `json:"root,omitempty"` // sha256 of the first root; from where it is set on, every fact needs a cause
	Settings     map[string]string `json:"settings"`

	Machines map[string]*Machine     `json:"machines"` // by id
	Units    map[string]*Unit        `json:"units"`    // by name
	Tools    map[string]*StoredTools `json:"tools"`    // by binary version
	Marks    tools.SaidBy            `json:"marks"`    // what publishers say of versions
	Lost     map[string]*LostSource  `json:"lost"`     // sources of tools that cannot be read, by name of the source
	Upgrade  *Upgrade                `json:"upgrade,omitempty"`
	Asked    *Upgrade                `json:"asked,omitempty"` // the newest upgrade.requested, until it is judged
	Pending  map[string]*Pending     `json:"pending"`         // the requests that wait for more operators to agree, by id
	Orders   map[string]*Order       `json:"orders"`          // the open orders, by machine id

	Past        []PastUpgrade      `json:"past,omitempty"` // ended upgrades, oldest first
	Requests    map[string]Outcome `json:"requests"`       // what became of each request, by id
	RequestsSeq uint64             `json:"requests_seq"`   // sequence in the REQUESTS stream up to which requests have been judged

	Revoked     map[string]time.Time `json:"revoked"`   // key of a machine → credentials that were issued until then are revoked
	Dismissed   map[string]time.Time `json:"dismissed"` // the same for keys of operators
	Hosts       map[string]string    `json:"hosts"`     // digest of a host → id of the machine that this host was last
	NextMachine int                  `json:"next_machine"`
	NextUnit    map[string]int       `json:"next_unit"` // by service

	Skipped     map[string]uint64 `json:"skipped,omitempty"`     // number of records that this build could not fold, by kind
	Disbelieved map[string]uint64 `json:"disbelieved,omitempty"` // number of records whose cause did not hold, by kind

	Asking    *Asking   `json:"asking,omitempty"`   // the request behind whose record the fold stands
	Parts     [][]byte  `json:"parts,omitempty"`    // signed metadata right before the publication that it proves
	Forgotten time.Time `json:"forgotten,omitzero"` // the newest request that Requests has forgotten was made then

	trusted tuf.Trusted // what Publication.Documents say; zero: they were not read yet
	next    tuf.Trusted // the same of the publication that is being folded
	pin     string      // see Pin
	recent  []string    // ids in Requests, oldest first; not part of the JSON, because Requests gives it
}
