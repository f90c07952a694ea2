package tuf

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
)

// How long what people sign holds. Source: SECURITY.md §3, made longer for an operator who
// is alone: every change to the targets begins their time anew.
const (
	RootLife    = 3 * 365 * 24 * time.Hour
	TargetsLife = 365 * 24 * time.Hour
)

// Online are the public keys of the two roles whose private keys a state server holds. They
// say how fresh metadata is; neither an archive nor an operator can be added with them.
type Online struct{ Snapshot, Timestamp ed25519.PublicKey }

// First makes the metadata that an environment begins with: a root and targets of one key
// each, which the operator keeps and which sign here, and the roster as the only target.
// Snapshot and timestamp are not in it: the state server makes and signs them.
func First(roster events.Roster, root, targets ed25519.PrivateKey, online Online, now time.Time) (*Repository, error) {
	one := func(k ed25519.PublicKey) Keys { return Keys{Public: []ed25519.PublicKey{k}, Threshold: 1} }
	repo, err := NewRepository(Roles{
		Root: one(root.Public().(ed25519.PublicKey)), Targets: one(targets.Public().(ed25519.PublicKey)),
		Snapshot: one(online.Snapshot), Timestamp: one(online.Timestamp),
	}, now.Add(RootLife), now.Add(TargetsLife))
	if err == nil {
		err = repo.SetJSON(now.Add(TargetsLife), FileOperators, roster)
	}
	if err == nil {
		_, err = repo.Sign(Root, root)
	}
	if err == nil {
		_, err = repo.Sign(Targets, targets)
	}
	if err != nil {
		return nil, fmt.Errorf("make the metadata of an environment: %w", err)
	}
	return repo, nil
}
