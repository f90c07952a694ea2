package wire

import "github.com/jujube-project/jujube/events/tree"

// ReportAnswer ends a report. Code is empty when it is on disk at Seq.
type ReportAnswer struct {
	Seq  uint64 `json:"seq,omitempty"`
	Code string `json:"code,omitempty"`
	Text string `json:"text,omitempty"`
}

// Codes of a ReportAnswer.
const (
	ReportDuplicate = "duplicate" // stored before; forget it
	ReportInvalid   = "invalid"   // never send it again
	ReportRetry     = "retry"     // later
)

// Beat is a heartbeat: a process is alive. It is kept in memory only.
type Beat struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`

	Log      tree.Head `json:"log,omitzero"`       // what of the log the machine has seen and believed last
	Instance string    `json:"instance,omitempty"` // of the process: another one, another instance
	Echo     string    `json:"echo,omitempty"`     // the Nonce of the newest Echoed that this process got
}

// Echoed answers a heartbeat that asks for it.
type Echoed struct {
	Nonce string `json:"nonce"`
	Again bool   `json:"again,omitempty"` // say it back at once: somebody else beats under this name
}
