package server

import (
	"fmt"
	"path/filepath"
)

// Reopen closes the store and opens it again, while all connections stand. Once a write to the files
// of a stream has failed, as when the disk was full, NATS takes nothing into that stream any more and
// does not answer who publishes, until the files are opened anew; room on the disk alone changes
// nothing. Source: nats-server 2.15, its file store. What was acknowledged is there
// afterwards.
//
// Only one call at a time is allowed. After an error JetStream does not run, and Reopen may be called
// again.
func (s *Server) Reopen() error {
	if err := s.nats.ShutdownJetStream(); err != nil {
		return fmt.Errorf("close the store of NATS: %w", err)
	}
	cfg := s.store
	cfg.StoreDir = filepath.Dir(cfg.StoreDir) // EnableJetStream adds the last element again
	if err := s.nats.EnableJetStream(&cfg); err != nil {
		return fmt.Errorf("open the store of NATS again: %w", err)
	}
	return nil
}
