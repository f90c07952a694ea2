package warrant

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/jujube-project/jujube/events"
)

// Machine is a machine that a request is about.
type Machine struct {
	ID     string            `json:"id"`
	Key    string            `json:"key"` // public nkey
	Labels map[string]string `json:"labels,omitempty"`
}

// leaf is the hash of a machine in a list: its id and its key, so that a host which enrols anew with
// another key is not in an old list.
func (m Machine) leaf() tlog.Hash {
	return tlog.RecordHash(fmt.Appendf(nil, "jujube-machine/1\n%s %s", events.MachineTag(m.ID), m.Key))
}

// List is the machines of one request, as a Merkle tree.
type List struct {
	places map[string]int64 // of machines, by id
	hashes stored
}

// NewList makes a list of machines, in the given order. A machine that comes twice counts once. It returns
// an error for an empty list, and for more than events.MaxMachines.
func NewList(machines []Machine) (*List, error) {
	l := &List{places: make(map[string]int64, len(machines))}
	for _, m := range machines {
		if _, twice := l.places[m.ID]; twice {
			continue
		}
		n := int64(len(l.places))
		hashes, err := tlog.StoredHashesForRecordHash(n, m.leaf(), l.hashes)
		if err != nil {
			return nil, fmt.Errorf("list machines: %w", err)
		}
		l.places[m.ID], l.hashes = n, append(l.hashes, hashes...)
	}
	if n := len(l.places); n == 0 || n > events.MaxMachines {
		return nil, fmt.Errorf("a request is about 1 to %d machines, not %d", events.MaxMachines, n)
	}
	return l, nil
}

// Signed gives the part of the list that an operator signs.
func (l *List) Signed() (*events.MachineList, error) {
	root, err := tlog.TreeHash(int64(len(l.places)), l.hashes)
	if err != nil {
		return nil, fmt.Errorf("list machines: %w", err)
	}
	return &events.MachineList{Root: root[:], Count: len(l.places)}, nil
}

// Equal says whether this list is the one that was signed.
func (l *List) Equal(signed *events.MachineList) bool {
	own, err := l.Signed()
	return err == nil && signed != nil && own.Count == signed.Count && string(own.Root) == string(signed.Root)
}

// Prove adds the proof that a machine is in the list to a warrant.
func (l *List) Prove(w events.Warrant, id string) (events.Warrant, error) {
	at, ok := l.places[id]
	if !ok {
		return w, fmt.Errorf("machine %s is not in the list", id)
	}
	proof, err := tlog.ProveRecord(int64(len(l.places)), at, l.hashes)
	if err != nil {
		return w, fmt.Errorf("list machines: %w", err)
	}
	w.Index, w.Proof = at, make([][]byte, len(proof))
	for i := range proof {
		w.Proof[i] = proof[i][:]
	}
	return w, nil
}

// holds says whether a warrant proves that a machine, with this key, is in the signed list.
func holds(list *events.MachineList, w events.Warrant, m Machine) bool {
	if list == nil || list.Count < 1 || list.Count > events.MaxMachines || w.Index < 0 || w.Index >= int64(list.Count) || len(list.Root) != tlog.HashSize {
		return false
	}
	proof := make(tlog.RecordProof, len(w.Proof))
	for i, h := range w.Proof {
		if len(h) != tlog.HashSize {
			return false
		}
		proof[i] = tlog.Hash(h)
	}
	return tlog.CheckRecord(proof, int64(list.Count), tlog.Hash(list.Root), w.Index, m.leaf()) == nil
}

// stored are the hashes of a tree, as package tlog numbers them.
type stored []tlog.Hash

// ReadHashes makes stored a tlog.HashReader.
func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if at < 0 || at >= int64(len(s)) {
			return nil, fmt.Errorf("there is no hash %d", at)
		}
		out[i] = s[at]
	}
	return out, nil
}
