package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
)

// Host is what this host calls itself, and a digest that tells it from others: of its
// machine-id, or of its name where it has none, and of the data directory, as a host may
// be several machines. Source of the file: machine-id(5).
func Host(dataDir string) (hostname, digest string) {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "unknown"
	}
	if abs, err := filepath.Abs(dataDir); err == nil {
		dataDir = abs
	}
	return hostname, hostDigest(machineID("/etc/machine-id"), hostname, dataDir)
}

// machineID is empty for a host without one, and for an image that has yet to get one.
func machineID(path string) string {
	b, err := os.ReadFile(path)
	id := strings.TrimSpace(string(b))
	if err != nil || id == "uninitialized" {
		return ""
	}
	return id
}

func hostDigest(machineID, hostname, dataDir string) string {
	if machineID == "" {
		machineID = "name:" + hostname
	}
	sum := sha256.Sum256([]byte(machineID + "\x00" + dataDir))
	return hex.EncodeToString(sum[:])
}
