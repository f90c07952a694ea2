package agent

import (
	"time"

	"github.com/jujube-project/jujube/host"
)

// Pauses between tries of what failed. Each begins short, because most faults are over at
// once, and ends at a time after which nobody would call the machine stuck.
var (
	diskPauses     = host.Backoff{Min: 100 * time.Millisecond, Max: 15 * time.Second} // a write that the disk refused
	reportPauses   = host.Backoff{Min: 100 * time.Millisecond, Max: 15 * time.Second} // a report that nobody stored
	metadataPauses = host.Backoff{Min: 100 * time.Millisecond, Max: 15 * time.Second} // a bundle of signed metadata
	downloadPauses = host.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second} // an archive of tools
	selfTestPauses = host.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second} // a self-test that did not reach the bus
	stepPauses     = host.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second} // an upgrade step that failed
	workloadPauses = host.Backoff{Min: 500 * time.Millisecond, Max: 30 * time.Second} // a workload that ended
)
