package wire

import "github.com/jujube-project/jujube/events/tree"

// ReportAnswer is the answer to a report. Without a Code the report is in the log, on disk.
type ReportAnswer struct {
	Seq  uint64 `json:"seq,omitempty"`  // of its record
	Code string `json:"code,omitempty"` // why it is not
	Text string `json:"text,omitempty"` // the same for a person
}

// Codes of a ReportAnswer.
const (
	ReportDuplicate = "duplicate" // it was stored before: forget it
	ReportInvalid   = "invalid"   // it can never be stored: forget it
	ReportRetry     = "retry"     // it could not be stored now: send it again later
)

// Beat is a heartbeat: it says that a machine's agent is alive. Nobody stores it.
//
// By Instance and Echo a state server finds out whether two hosts have the same machine's key.
// It gives each process a nonce to say back (Echoed). On one host, a process begins only after
// the one before it has ended. So if a process says back a nonce that it got after a newer
// process was there, the two are on different hosts.
type Beat struct {
	Version string `json:"version"` // number that the agent runs
	PID     int    `json:"pid"`

	Log      tree.Head `json:"log,omitzero"`       // what the machine has seen of the log and believes
	Instance string    `json:"instance,omitempty"` // made anew at every start of the agent
	Echo     string    `json:"echo,omitempty"`     // Nonce of the newest Echoed that this process got
}

// Echoed is the answer to a heartbeat that wants one.
type Echoed struct {
	Nonce string `json:"nonce"`           // to be said back in the next heartbeat that wants an answer
	Again bool   `json:"again,omitempty"` // say it back at once: a newer process beats under this name
}
