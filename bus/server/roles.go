package server

import (
	"fmt"
	"slices"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
)

// This file is all that anybody may do on the bus. A role is a set of permissions; each role
// has a scoped signing key, and NATS gives a user the permissions of the key that signed him
// in. Whoever holds the key of the machines' role can therefore make machines, and nothing
// else. What passes between the accounts is in exports.go.

// roleName is the name under which Accounts keep the signing key of a role.
type roleName string

const (
	roleStateServer roleName = names.AccountControl
	roleOperator    roleName = names.AccountOperators
	roleReader      roleName = "READERS"
	roleAgent       roleName = names.AccountAgents
	roleEnrol       roleName = names.AccountEnrol
	roleSystem      roleName = names.AccountSystem
)

// role is a fixed set of permissions within one account. In a subject, NATS replaces
// {{name()}} by the user's name and {{subject()}} by his public key. What is not listed is
// refused.
//
// NATS does not check the reply subject of a request against these permissions. That is one
// reason why machines and operators have accounts of their own: an answer can be sent to any
// subject of the asker's account, but not into another one. Within the account it reaches
// nobody either: inboxes cannot be guessed, and names.SubjectHeard cannot be a reply.
type role struct {
	name         roleName
	account      string
	publish      []string
	never        []string // refused although something in publish matches
	subscribe    []string
	payloadBytes int64 // the largest message that he may publish
}

func (n roleName) account() string {
	i := slices.IndexFunc(roles, func(r role) bool { return r.name == n })
	return roles[i].account
}

// inboxTemplate is where a user gets answers. Each user has a prefix of his own, so that nobody
// can read another's answers.
const inboxTemplate = "_INBOX.{{subject()}}.>"

// answers is where NATS expects the answers to requests that came from another account: it
// replaces their reply subjects. Source: nats-server, accounts.go, replyPrefix.
const answers = "_R_.>"

var roles = []role{
	{
		name: roleStateServer, account: names.AccountControl,
		publish: slices.Concat(
			[]string{names.SubjectLog + ">", names.SubjectRequest + ">", names.SubjectCheckpoint, "$O." + names.BucketTools + ".>", "$KV." + names.BucketLease + ".>"},
			[]string{answers, inboxTemplate},
			[]string{"$JS.API.INFO", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.PURGE." + names.StreamTools},
			api("STREAM.CREATE.%s", names.StreamLog, names.StreamRequests, names.StreamCheckpoints, names.StreamTools, names.StreamLease),
			api("DIRECT.GET.%s", names.StreamLog, names.StreamRequests, names.StreamTools, names.StreamLease),
			api("DIRECT.GET.%s.>", names.StreamLog, names.StreamRequests, names.StreamCheckpoints, names.StreamTools, names.StreamLease),
			api("CONSUMER.CREATE.%s.>", names.StreamLease), api("CONSUMER.DELETE.%s.*", names.StreamLease), api("CONSUMER.INFO.%s.*", names.StreamLease),
			[]string{"$JS.FC." + names.StreamLease + ".>"},
		),
		// A state server makes these streams and appends to them. It cannot change or delete
		// what is in them. What it stores as a request must be signed by an operator to be one.
		never: slices.Concat(
			api("STREAM.DELETE.%s", names.StreamLog, names.StreamRequests), api("STREAM.UPDATE.%s", names.StreamLog, names.StreamRequests),
			api("STREAM.PURGE.%s", names.StreamLog, names.StreamRequests), api("STREAM.MSG.DELETE.%s", names.StreamLog, names.StreamRequests),
			api("STREAM.RESTORE.%s", names.StreamLog, names.StreamRequests),
		),
		subscribe: []string{
			inboxTemplate, names.SubjectReport + "*", names.SubjectBeat + "*", names.SubjectEnrol, names.SubjectRenew,
			names.SubjectQuery + "*", names.SubjectUpload + "*", names.SubjectRequest + "*.*", names.SubjectAsk + "*.*",
		},
		payloadBytes: limits.PayloadBytes,
	},
	{
		name: roleOperator, account: names.AccountOperators,
		publish: slices.Concat(reads, []string{
			names.SubjectRequest + "{{subject()}}.*", names.SubjectUpload + "*",
			names.DirectGet(names.StreamRequests) + "." + names.SubjectRequest + "{{subject()}}.*",
		}),
		subscribe:    []string{inboxTemplate, names.SubjectHeard + ">", names.SubjectLive + ">"},
		payloadBytes: limits.PieceBytes + 4096, // a piece of an archive, with its head
	},
	{
		name: roleReader, account: names.AccountOperators,
		publish:      reads,
		subscribe:    []string{inboxTemplate, names.SubjectHeard + ">", names.SubjectLive + ">"},
		payloadBytes: limits.PieceBytes,
	},
	{
		name: roleAgent, account: names.AccountAgents,
		publish: []string{
			names.SubjectReport + "{{name()}}", names.SubjectBeat + "{{name()}}",
			names.DirectGet(names.StreamLog) + "." + names.SubjectLog + "order.{{name()}}.*", names.DirectGet(names.StreamLog) + "." + names.SubjectTrust,
			names.DirectGet(names.StreamTools) + "." + names.SubjectDescribed + "*",
			names.DirectGet(names.StreamTools), // chunks: a Direct Get of several messages names their subject in its body
		},
		subscribe: []string{
			inboxTemplate, names.SubjectHeard + "order.{{name()}}.*", names.SubjectHeard + names.EntityTrust,
			names.SubjectLive + "order.{{name()}}.*", names.SubjectLive + names.EntityTrust,
		},
		payloadBytes: limits.ReportBytes,
	},
	{
		name: roleEnrol, account: names.AccountEnrol,
		publish: []string{names.SubjectEnrol, names.SubjectRenew}, subscribe: []string{inboxTemplate}, payloadBytes: limits.EnrolBytes,
	},
	{
		name: roleSystem, account: names.AccountSystem,
		publish: []string{names.AccountUpdate("*")}, subscribe: []string{inboxTemplate}, payloadBytes: limits.PayloadBytes,
	},
}

// reads is what every operator may publish: questions, and reads of the log and its checkpoint.
var reads = []string{
	names.SubjectQuery + "*", names.DirectGet(names.StreamLog), names.DirectGet(names.StreamCheckpoints) + "." + names.SubjectCheckpoint,
}

// api are subjects of JetStream's API, one for each stream.
func api(format string, streams ...string) []string {
	subjects := make([]string, len(streams))
	for i, s := range streams {
		subjects[i] = "$JS.API." + fmt.Sprintf(format, s)
	}
	return subjects
}

// scope is the role as NATS has it in the claims of the account: what users have whom signer
// signs in.
func (r role) scope(signer nkeys.KeyPair) (*jwt.UserScope, error) {
	public, err := signer.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("make the signing key of %s: %w", r.name, err)
	}
	scope := jwt.NewUserScope()
	scope.Key, scope.Role = public, string(r.name)
	scope.Template.Permissions.Pub.Allow.Add(r.publish...)
	scope.Template.Permissions.Pub.Deny.Add(r.never...)
	scope.Template.Permissions.Sub.Allow.Add(r.subscribe...)
	scope.Template.Limits.Payload = r.payloadBytes
	return scope, nil
}
