package audit

import (
	"slices"

	"github.com/jujube-project/jujube/events"
)

// checkAuthor checks, before a record is folded, who signed it, as long as facts need no cause: from there on
// the fold does. A machine must sign its reports, a state
// server what machines obey. In a log whose first record is not signed, from before records were signed,
// others may lack a signature too. A signature that is there must always be right.
func (v *Verifier) checkAuthor(r events.Record, payload events.Payload) {
	switch p := payload.(type) {
	case nil:
	case *events.ReportLate:
		v.checkMachine(r.Seq, p.Machine, p.Original())
	case events.Report:
		v.checkMachine(r.Seq, p.Head().Machine, r)
	default:
		if _, opens := p.(*events.EnvironmentCreated); opens || events.IsOrder(r.Entity) {
			v.checkStateServer(r)
		}
	}
}

func (v *Verifier) checkMachine(seq uint64, id string, r events.Record) {
	m := v.State.Machines[id]
	if m == nil || r.Key == "" && v.opened == "" {
		return
	}
	if err := r.CheckSignature(m.Key); err != nil {
		v.find(seq, FoundAuthor, "machine-%s did not say this: %v", id, err)
	}
}

// checkStateServer checks that a state server on the roster signed a record. Before a roster names any, it
// must be the one that signed the first record of the log.
func (v *Verifier) checkStateServer(r events.Record) {
	if r.Key == "" && v.opened == "" {
		return
	}
	servers := v.State.Trust.Roster.StateServers
	if len(servers) == 0 {
		servers = []string{v.opened}
	}
	if !slices.Contains(servers, r.Key) {
		v.find(r.Seq, FoundAuthor, "%s is signed with the key %q, which is no state server's", r.Kind, r.Key)
		return
	}
	if err := r.CheckSignature(r.Key); err != nil {
		v.find(r.Seq, FoundAuthor, "no state server decided this: %v", err)
	}
}
