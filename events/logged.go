package events

import (
	"bytes"

	"github.com/jujube-project/jujube/events/tree"
)

// CheckLogged is what a machine asks of an order beside everything else: that the very
// request which it executes lies in the environment's log, and that this log goes on from
// known, the newest checkpoint that the machine believed. It gives the newest from then
// on, which must be on disk before anything is done. Its refusals are log-proof and
// log-fork.
func CheckLogged(logs tree.Verifiers, environment string, o OrderIssued, known tree.Checkpoint) (tree.Checkpoint, *Reason) {
	c, refusal := logs.Check(o.Log, tree.LogOf(environment), known)
	if refusal != nil {
		return known, refusal
	}
	rec, err := Stored{Seq: o.Log.Seq, Entity: o.Log.Entity, Bytes: o.Log.Record}.Record()
	if err != nil {
		return known, Refuse(tree.CodeProof, "%v", err)
	}
	payload, err := Decode(rec)
	if err != nil {
		return known, Refuse(tree.CodeProof, "%v", err)
	}
	asked, ok := payload.(*UpgradeRequested)
	if !ok || asked.Upgrade != o.Upgrade || !bytes.Equal(asked.Request.Signed, o.Request) {
		return known, Refuse(tree.CodeProof, "what lies in the log there is not the request that the order executes")
	}
	return c, nil
}
