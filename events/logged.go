package events

import (
	"bytes"

	"github.com/jujube-project/jujube/events/tree"
)

// CheckLogged is the last check that a machine makes of an order. It checks two things: the request
// that the order executes lies in the environment's log, and that log continues the log at known,
// the newest checkpoint that the machine has accepted before.
//
// It returns the checkpoint that is the newest from now on. The machine writes that one to its disk
// before it does what the order says. Otherwise a machine that dies in between could be shown an
// older log later. The codes of its refusals are log-proof and log-fork.
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
