package status

import (
	"time"

	"github.com/jujube-project/jujube/events"
)

// Status is what `juju status` shows. Times are RFC 3339 in UTC.
type Status struct {
	Environment       Environment       `json:"environment"`
	EnvironmentStatus EnvironmentStatus `json:"environment-status,omitzero"`
	Upgrade           *Upgrade          `json:"upgrade,omitempty"`      // in progress or halted
	LastUpgrade       *LastUpgrade      `json:"last-upgrade,omitempty"` // the newest that ended
	Requests          []PendingRequest  `json:"requests,omitempty"`     // that wait for more operators to agree
	Machines          Map[Machine]      `json:"machines"`               // by id
	Services          Map[Service]      `json:"services"`               // by name
	Log               Log               `json:"log"`
}

// Environment names the environment and the version that it is set to.
type Environment struct {
	Name         string `json:"name"`
	UUID         string `json:"uuid"`
	AgentVersion string `json:"agent-version"`
}

// EnvironmentStatus says whether newer tools than the environment's version are stored, which sources of
// tools cannot be read, and how fresh the signed metadata is.
type EnvironmentStatus struct {
	UpgradeAvailable string       `json:"upgrade-available,omitempty"` // the newest stored version of the same major.minor, if it is newer
	LostSources      []LostSource `json:"lost-sources,omitempty"`
	Trust            TrustStatus  `json:"trust,omitzero"`
}

// TrustStatus is how fresh the signed metadata is that machines believe.
type TrustStatus struct {
	State   string `json:"state"`   // a Trust… constant, judged at the time of the newest record
	Root    int64  `json:"root"`    // version of the root
	Targets int64  `json:"targets"` // version of the targets
	Fresh   string `json:"fresh"`   // when the timestamp expires
	Holds   string `json:"holds"`   // when the root or the targets expire, which people sign
}

// States of a TrustStatus.
const (
	TrustFresh   = "fresh"
	TrustStale   = "stale"   // four fifths of the timestamp's life are over, and no newer was signed
	TrustExpired = "expired" // machines refuse new upgrades
)

// LostSource is a source of tools that the state server cannot read.
type LostSource struct {
	Source string `json:"source"`
	Reason string `json:"reason"`
	Since  string `json:"since"`
	Next   string `json:"next"` // the command that helps
}

// Log says up to which record of the log the status is made from.
type Log struct {
	Position uint64 `json:"position"`
	Time     string `json:"time,omitempty"`    // of that record
	Skipped  uint64 `json:"skipped,omitempty"` // records that this build could not read

	Disbelieved uint64 `json:"disbelieved,omitempty"` // records without a signed cause, which change nothing
}

// Upgrade says how far the upgrade is.
type Upgrade struct {
	ID        string          `json:"id"`
	Operator  string          `json:"operator"`
	From      string          `json:"from"`
	Target    string          `json:"target"`
	State     string          `json:"state"` // InProgress, Halted or PendingApproval
	Started   string          `json:"started"`
	Progress  Progress        `json:"progress"`
	Blockers  []events.Reason `json:"blockers"` // why it cannot go on, as a whole or on some machines
	Waiting   []Waiting       `json:"waiting"`
	LastError string          `json:"last-error,omitempty"`
}

// States of an upgrade.
const (
	InProgress = "in-progress"
	Halted     = "halted"

	PendingApproval = events.CodePendingApproval
)

// Progress counts the machines of an upgrade, without those that were removed.
type Progress struct {
	Done     int `json:"done"`
	Total    int `json:"total"`
	InFlight int `json:"in-flight"`
	Failed   int `json:"failed"`
}

// Waiting is machines that wait for the same reason.
type Waiting struct {
	Reason   string   `json:"reason"`
	Machines []string `json:"machines"` // ids
}

// LastUpgrade is the newest upgrade that ended.
type LastUpgrade struct {
	ID       string `json:"id"`
	Operator string `json:"operator"`
	From     string `json:"from"`
	Target   string `json:"target"`
	Outcome  string `json:"outcome"` // completed or aborted
	Ended    string `json:"ended"`
}

// Machine is one host and its agent.
type Machine struct {
	AgentState     string `json:"agent-state"` // AgentPending, AgentStarted, AgentDown or AgentError
	AgentStateInfo string `json:"agent-state-info,omitempty"`
	AgentVersion   string `json:"agent-version,omitempty"`
	DNSName        string `json:"dns-name,omitempty"`
	Life           string `json:"life"` // alive; before that invited, until its host has joined, or pending, until it is approved; or quarantined
	Series         string `json:"series,omitempty"`
	Hardware       string `json:"hardware,omitempty"`                   // "arch=amd64"
	MemberStatus   string `json:"state-server-member-status,omitempty"` // has-vote on a state server
	Since          string `json:"since,omitempty"`                      // when the agent-state began

	Denied []Denied          `json:"denied,omitempty"` // builds that it refuses, until juju resolved
	Labels map[string]string `json:"labels,omitempty"`
}

// Denied is a build that a machine refuses, because it failed there by its own fault.
type Denied struct {
	Version string `json:"version"` // binary version
	SHA256  string `json:"sha256"`
	Reason  string `json:"reason"`
	Since   string `json:"since"`
}

// States of a machine's agent. Source: Juju 1.25.
const (
	AgentPending = "pending"
	AgentStarted = "started"
	AgentDown    = "down"
	AgentError   = "error"
)

// Service is the units of one name.
type Service struct {
	ServiceStatus State     `json:"service-status"` // the worst workload status of its units
	Units         Map[Unit] `json:"units"`
}

// Unit is one run of a service's workload.
type Unit struct {
	WorkloadStatus State  `json:"workload-status"`
	AgentStatus    State  `json:"agent-status"`
	Machine        string `json:"machine"`
	PublicAddress  string `json:"public-address,omitempty"`
	User           string `json:"user"` // as whom it runs
}

// State says what something does, and since when.
type State struct {
	Current string `json:"current"`
	Message string `json:"message,omitempty"`
	Since   string `json:"since,omitempty"`
	Version string `json:"version,omitempty"`
}

// stamp gives a time in the form that a Status holds. The zero time is the empty text.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
