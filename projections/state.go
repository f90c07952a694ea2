package projections

import (
	"time"

	"github.com/jujube-project/jujube/events"
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
	Trust        Trust             `json:"trust"`
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

// Trust is what the newest published metadata says. Before the first, it has the operators
// that the environment began with, and no bundle.
type Trust struct {
	events.TrustPublished
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`
}

// Machine is one host.
type Machine struct {
	ID          string         `json:"id"`
	Life        string         `json:"life"` // a Life… constant
	StateServer bool           `json:"state_server,omitempty"`
	TokenKey    string         `json:"token_key,omitempty"` // while invited
	Expires     time.Time      `json:"expires,omitzero"`    // of the invitation
	Key         string         `json:"key,omitempty"`       // its public nkey, once enrolled
	Hostname    string         `json:"hostname,omitempty"`
	Version     version.Binary `json:"version"`          // what its agent runs, by its own last word
	Previous    version.Number `json:"previous"`         // what it ran before that
	Started     time.Time      `json:"started,omitzero"` // its agent's last start
	Lost        bool           `json:"lost,omitempty"`
	Since       time.Time      `json:"since"` // of the present agent-state
	Epoch       string         `json:"epoch,omitempty"`
	Reports     uint64         `json:"reports"`           // the highest report number of that epoch
	Failure     *Failed        `json:"failure,omitempty"` // the last upgrade's, until one succeeds

	Heads []uint64 `json:"heads,omitempty"` // sizes of the log's checkpoints, of which it remembers one, or none

	Ended    string    `json:"ended,omitempty"`     // the order that its agent ended last: said again, it is not recorded again
	Adrift   string    `json:"adrift,omitempty"`    // an order that is not open any more and that it is still at: its end is awaited
	Denied   []Denied  `json:"denied,omitempty"`    // builds that it refuses, oldest first
	Resolved bool      `json:"resolved,omitempty"`  // an operator cleared Denied; its next order says so too
	Unproven bool      `json:"unproven,omitempty"`  // its version took such a step and never proved itself
	NoReturn *NoReturn `json:"no_return,omitempty"` // until the order's end: it does not go back by itself

	Labels  map[string]string `json:"labels,omitempty"`
	Host    string            `json:"host,omitempty"`    // digest of what tells its host from others
	Approve bool              `json:"approve,omitempty"` // while invited: it will wait for approval
	Pending string            `json:"pending,omitempty"` // why it waits for approval

	Generation uint64    `json:"generation,omitempty"` // how often its credentials were renewed
	Nonce      string    `json:"nonce,omitempty"`      // under which it asked for the newest
	Renewed    time.Time `json:"renewed,omitzero"`     // when it got them
	Readmitted bool      `json:"readmitted,omitempty"` // approved after a quarantine: its next renewal may be of any generation
	Quarantine string    `json:"quarantine,omitempty"` // why it is shut out
}

// NoReturn is an upgrade step that cannot be undone, and the order in which it was taken.
type NoReturn struct {
	Order string `json:"order"`
	Step  string `json:"step"`
}

// Denied is a build that failed on a machine by its own fault.
type Denied struct {
	Tools tools.Tools `json:"tools"`
	Why   string      `json:"why"`
	Time  time.Time   `json:"time"`
}

// A machine is invited, then enrolled, and waits for approval where policy asks for it.
// Removed ones leave the state.
const (
	LifeInvited = "invited"
	LifePending = "pending" // enrolled and not approved: it is given nothing

	LifeQuarantined = "quarantined" // shut out: its key is not one host's alone
	LifeAlive       = "alive"
)

// Failed is what went wrong with a machine's last order.
type Failed struct {
	events.Failure
	Order      string         `json:"order"`
	To         version.Number `json:"to"`
	RolledBack bool           `json:"rolled_back,omitempty"`
	Time       time.Time      `json:"time"`
}

// Unit is one run of a service's workload.
type Unit struct {
	events.UnitSpec
	Service string         `json:"service"`
	State   string         `json:"state"` // an events.Unit… constant
	Info    string         `json:"info,omitempty"`
	PID     int            `json:"pid,omitempty"`
	Version version.Number `json:"version"` // of its unit agent
	Since   time.Time      `json:"since"`
}

// StoredTools is one archive in the object store.
type StoredTools struct {
	tools.Tools
	Source   string    `json:"source"`
	SignedBy string    `json:"signed_by,omitempty"` // empty: see the request that brought it, or Unsigned
	Unsigned bool      `json:"unsigned,omitempty"`
	Time     time.Time `json:"time"`
}

// LostSource is a source of tools that cannot be read.
type LostSource struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// Upgrade is the one in progress, or halted.
type Upgrade struct {
	ID        string                 `json:"id"`
	Operator  string                 `json:"operator"`
	From      version.Number         `json:"from"`
	To        version.Number         `json:"to"`
	Artefacts map[string]tools.Tools `json:"artefacts"`      // by platform, "trusty-amd64"
	Signed    []byte                 `json:"signed"`         // the request it executes
	Seq       uint64                 `json:"seq"`            // of the record that holds the request
	Machines  []string               `json:"machines"`       // ids it is about, in order
	Keys      map[string]string      `json:"keys,omitempty"` // of these machines, when it was asked for
	Approvals [][]byte               `json:"approvals,omitempty"`
	Missed    map[string]string      `json:"missed,omitempty"` // archive that could not be fetched yet, by binary version → why
	Done      map[string]string      `json:"done"`             // machine id → how its last order ended: upgraded, failed, rolled-back, timed-out
	Halted    []events.Reason        `json:"halted,omitempty"`
	Started   time.Time              `json:"started"`
}

// PastUpgrade is one that ended.
type PastUpgrade struct {
	ID       string         `json:"id"`
	From     version.Number `json:"from"`
	To       version.Number `json:"to"`
	Outcome  string         `json:"outcome"` // completed or aborted
	Operator string         `json:"operator"`
	Started  time.Time      `json:"started"`
	Ended    time.Time      `json:"ended"`
}

// Order is one that its machine has not ended yet.
type Order struct {
	ID       string         `json:"id"`
	Machine  string         `json:"machine"`
	Kind     string         `json:"kind"` // upgrade or restart
	Upgrade  string         `json:"upgrade,omitempty"`
	Request  string         `json:"request,omitempty"` // of a restart
	To       version.Number `json:"to"`
	Issued   time.Time      `json:"issued"`
	Expires  time.Time      `json:"expires,omitzero"`
	Accepted bool           `json:"accepted,omitempty"`
	Step     string         `json:"step,omitempty"` // a Step… constant
	Percent  int            `json:"percent,omitempty"`
	Head     uint64         `json:"head,omitempty"`    // size of the log's checkpoint that came with it
	Trouble  string         `json:"trouble,omitempty"` // of an upgrade step that is tried again
}

// Outcome is what became of a request.
type Outcome struct {
	Action  string          `json:"action"`
	Outcome string          `json:"outcome"` // accepted or refused
	Seq     uint64          `json:"seq"`     // of the record that holds the request
	Reasons []events.Reason `json:"reasons,omitempty"`
}
