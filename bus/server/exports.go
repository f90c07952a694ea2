package server

import (
	"github.com/nats-io/jwt/v2"

	"github.com/jujube-project/jujube/bus/internal/names"
)

// An export is one subject that CONTROL exports and one other account imports. In NATS's
// words it is a service, whose requests flow from the other account to CONTROL, or a stream,
// whose messages flow from CONTROL to the other account.
type export struct {
	to      string // the account that imports it
	subject string
	local   string // the subject in that account; empty: the same one
	stream  bool   // else a service
	many    bool   // a service that answers a request with several messages
	shared  bool   // a service that is told the public key of who asks (bus, senderOf)
}

// What is not listed here does not pass between accounts, whatever a role may do in its own
// (roles.go). live.> is exported once, to OPERATORS; AGENTS import parts of that export.
//
// Both have it twice. Under live.> a user can have the answers to his own requests delivered to
// somebody else, by naming that subject as the reply. Under names.SubjectHeard nobody can, and
// there it is heard; live.> is for agents and clients of before. NATS takes each subject of an
// export once only, so the second import is written in another way (nats-server, accounts.go,
// isStreamImportDuplicate).
var exports = []export{
	{subject: names.SubjectRequest + "*.*"}, // a state server that went back to the version of before has it imported
	{to: names.AccountOperators, subject: names.SubjectAsk + "*.*", local: names.SubjectRequest + "$1.$2"},
	{to: names.AccountOperators, subject: names.SubjectQuery + "*", many: true, shared: true},
	{to: names.AccountOperators, subject: names.SubjectUpload + "*", shared: true},
	{to: names.AccountOperators, subject: names.DirectGet(names.StreamLog), many: true},
	{to: names.AccountOperators, subject: names.DirectGet(names.StreamCheckpoints) + "." + names.SubjectCheckpoint},
	{to: names.AccountOperators, subject: names.DirectGet(names.StreamRequests) + "." + names.SubjectRequest + "*.*"},
	{to: names.AccountOperators, subject: names.SubjectLive + ">", stream: true},
	{to: names.AccountOperators, subject: names.SubjectLive + "*", local: names.SubjectHeard + "$1", stream: true},
	{to: names.AccountOperators, subject: names.SubjectLive + "*.>", local: names.SubjectHeard + "$1.>", stream: true},
	{to: names.AccountAgents, subject: names.SubjectReport + "*"},
	{to: names.AccountAgents, subject: names.SubjectBeat + "*"},
	{to: names.AccountAgents, subject: names.DirectGet(names.StreamLog) + "." + names.SubjectLog + "order.*.*"},
	{to: names.AccountAgents, subject: names.DirectGet(names.StreamLog) + "." + names.SubjectTrust},
	{to: names.AccountAgents, subject: names.DirectGet(names.StreamTools) + "." + names.SubjectDescribed + "*"},
	{to: names.AccountAgents, subject: names.DirectGet(names.StreamTools), many: true},
	{to: names.AccountAgents, subject: names.SubjectLive + "order.*.*", stream: true},
	{to: names.AccountAgents, subject: names.SubjectLive + names.EntityTrust, stream: true},
	{to: names.AccountAgents, subject: names.SubjectLive + "order.>", local: names.SubjectHeard + "order.>", stream: true},
	{to: names.AccountAgents, subject: names.SubjectLive + "*", local: names.SubjectHeard + "$1", stream: true},
	{to: names.AccountEnrol, subject: names.SubjectEnrol, shared: true},
	{to: names.AccountEnrol, subject: names.SubjectRenew, shared: true},
}

// share adds to an account's claims what it exports, if it is CONTROL, or else what it imports.
func (a *Accounts) share(name string, claims *jwt.AccountClaims) {
	for _, e := range exports {
		kind, response := jwt.Service, jwt.ResponseType(jwt.ResponseTypeSingleton)
		if e.stream {
			kind, response = jwt.Stream, ""
		} else if e.many {
			response = jwt.ResponseTypeStream
		}
		switch name {
		case names.AccountControl:
			if !e.stream || e.subject == names.SubjectLive+">" && e.local == "" {
				claims.Exports.Add(&jwt.Export{Name: e.subject, Subject: jwt.Subject(e.subject), Type: kind, ResponseType: response})
			}
		case e.to:
			claims.Imports.Add(&jwt.Import{
				Name: e.subject, Subject: jwt.Subject(e.subject), LocalSubject: jwt.RenamingSubject(e.local),
				Account: a.IDs[names.AccountControl], Type: kind, Share: e.shared,
			})
		}
	}
}
