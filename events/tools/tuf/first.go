package tuf

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
)

// How long the documents hold that people sign. They are longer than in SECURITY.md §3, for an operator
// who is alone. Every change to the targets begins their time anew.
const (
	RootLife    = 3 * 365 * 24 * time.Hour
	TargetsLife = 365 * 24 * time.Hour
)

// Online are the public keys of the two roles whose private keys a state server holds. With these keys it
// signs how fresh the metadata is. It can add neither an archive nor an operator with them.
type Online struct{ Snapshot, Timestamp ed25519.PublicKey }

// First makes the metadata that an environment begins with. Its root and its targets have one key each,
// which the operator keeps and which sign here. The roster and the publishers, if they are not nil, are
// the only targets. The state server makes and signs the snapshot and the timestamp: see Freshen.
func First(
	roster events.Roster, publishers *events.Publishers, root, targets ed25519.PrivateKey, online Online, now time.Time,
) (*Repository, error) {
	one := func(k ed25519.PublicKey) Keys { return Keys{Public: []ed25519.PublicKey{k}, Threshold: 1} }
	repo, err := NewRepository(Roles{
		Root: one(root.Public().(ed25519.PublicKey)), Targets: one(targets.Public().(ed25519.PublicKey)),
		Snapshot: one(online.Snapshot), Timestamp: one(online.Timestamp),
	}, now.Add(RootLife), now.Add(TargetsLife))
	if err == nil {
		err = repo.SetJSON(now.Add(TargetsLife), FileOperators, roster)
	}
	if err == nil && publishers != nil {
		err = repo.SetJSON(now.Add(TargetsLife), FilePublishers, publishers)
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
