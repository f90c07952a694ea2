package server

import (
	"fmt"
	"slices"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

// What each role may do on the bus, all of it. A scoped signing key gives out users of one
// role: whoever holds the key of a machine's role can make machines, and nothing else.

// roleName is the name under which Trust keeps a role's signing key.
type roleName string

const (
	roleStateServer roleName = names.AccountControl
	roleOperator    roleName = names.AccountOperators
	roleReader      roleName = "READERS"
	roleAgent       roleName = names.AccountAgents
	roleEnrol       roleName = names.AccountEnrol
	roleSystem      roleName = names.AccountSystem
)

// role is a fixed set of permissions within one account. {{name()}} is the user's name,
// {{subject()}} its public key. What is not listed is refused.
type role struct {
	name         roleName
	account      string
	publish      []string
	never        []string // refused although something in publish matches
	subscribe    []string
	payloadBytes int64
}

func (n roleName) account() string {
	i := slices.IndexFunc(roles, func(r role) bool { return r.name == n })
	return roles[i].account
}

// Inbox prefixes, one for each user, so that nobody can read another's answers.
const inboxTemplate = "_INBOX.{{subject()}}.>"

// answers is where NATS lets the questions of other accounts be answered.
const answers = "_R_.>"

var roles = []role{
	{
		name: roleStateServer, account: names.AccountControl,
		publish: slices.Concat(
			[]string{names.SubjectLog + ">", names.SubjectHead, "$O." + names.BucketTools + ".>", "$KV." + names.BucketLease + ".>", answers, inboxTemplate},
			[]string{"$JS.API.INFO", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.PURGE." + names.StreamTools},
			api("STREAM.CREATE.%s", names.StreamLog, names.StreamRequests, names.StreamHeads, names.StreamTools, names.StreamLease),
			api("DIRECT.GET.%s", names.StreamLog, names.StreamRequests, names.StreamTools, names.StreamLease),
			api("DIRECT.GET.%s.>", names.StreamLog, names.StreamRequests, names.StreamHeads, names.StreamTools, names.StreamLease),
			api("CONSUMER.CREATE.%s.>", names.StreamLease), api("CONSUMER.DELETE.%s.*", names.StreamLease), api("CONSUMER.INFO.%s.*", names.StreamLease),
			[]string{"$JS.FC." + names.StreamLease + ".>"},
		),
		never: slices.Concat(
			api("STREAM.DELETE.%s", names.StreamLog, names.StreamRequests), api("STREAM.UPDATE.%s", names.StreamLog, names.StreamRequests),
			api("STREAM.PURGE.%s", names.StreamLog, names.StreamRequests), api("STREAM.MSG.DELETE.%s", names.StreamLog, names.StreamRequests),
			api("STREAM.RESTORE.%s", names.StreamLog, names.StreamRequests), []string{names.SubjectRequest + ">"},
		),
		subscribe: []string{
			inboxTemplate, names.SubjectReport + "*", names.SubjectBeat + "*", names.SubjectEnrol, names.SubjectRenew, names.SubjectQuery + "*", names.SubjectUpload + "*",
			names.SubjectRequest + "*.*", names.SubjectLive + ">",
		},
		payloadBytes: limits.PayloadBytes,
	},
	{
		name: roleOperator, account: names.AccountOperators,
		publish: slices.Concat(reads, []string{
			names.SubjectRequest + "{{subject()}}.*", names.SubjectUpload + "*",
			names.DirectGet(names.StreamRequests) + "." + names.SubjectRequest + "{{subject()}}.*",
		}),
		subscribe:    []string{inboxTemplate, names.SubjectLive + ">"},
		payloadBytes: limits.PieceBytes + 4096,
	},
	{
		name: roleReader, account: names.AccountOperators,
		publish:      reads,
		subscribe:    []string{inboxTemplate, names.SubjectLive + ">"},
		payloadBytes: limits.PieceBytes,
	},
	{
		name: roleAgent, account: names.AccountAgents,
		publish: []string{
			names.SubjectReport + "{{name()}}", names.SubjectBeat + "{{name()}}",
			names.DirectGet(names.StreamLog) + "." + names.SubjectLog + "order.{{name()}}.*", names.DirectGet(names.StreamLog) + "." + names.SubjectTrust,
			names.DirectGet(names.StreamTools) + "." + names.SubjectDescribed + "*",
			names.DirectGet(names.StreamTools),
		},
		subscribe:    []string{inboxTemplate, names.SubjectLive + "order.{{name()}}.*", names.SubjectLive + names.EntityTrust},
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

// reads is what every operator may do: read the log and ask questions.
var reads = []string{names.SubjectQuery + "*", names.DirectGet(names.StreamLog), names.DirectGet(names.StreamHeads) + "." + names.SubjectHead}

// api names requests to JetStream about some streams.
func api(format string, streams ...string) []string {
	subjects := make([]string, len(streams))
	for i, s := range streams {
		subjects[i] = "$JS.API." + fmt.Sprintf(format, s)
	}
	return subjects
}

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
