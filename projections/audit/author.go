package audit

import (
	"slices"

	"github.com/jujube-project/jujube/events"
)

// checkAuthor looks, before a record is folded, at who signed it: machines their reports,
// state servers what machines obey. Where the first record of a log is unsigned, so may the
// others be; a signature that is there must be right everywhere.
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

// checkStateServer: the roster names the state servers; before it does, it is the one that
// opened the log.
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
