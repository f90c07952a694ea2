package bus

import (
	"fmt"
	"slices"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

// What each role may do on the bus, all of it. A scoped signing key gives out users of one
// role: whoever holds the key of a machine's role can make machines, and nothing else.

// roleName is the name under which Trust keeps a role's signing key.
type roleName string

const (
	roleStateServer roleName = accountControl
	roleOperator    roleName = accountOperators
	roleReader      roleName = "READERS"
	roleAgent       roleName = accountAgents
	roleEnrol       roleName = accountEnrol
	roleSystem      roleName = accountSystem
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

func inboxPrefix(publicKey string) string { return "_INBOX." + publicKey }

// answers is where NATS lets the questions of other accounts be answered.
const answers = "_R_.>"

var roles = []role{
	{
		name: roleStateServer, account: accountControl,
		publish: slices.Concat(
			[]string{subjectLog + ">", subjectHead, "$O." + bucketTools + ".>", "$KV." + bucketLease + ".>", answers, inboxTemplate},
			[]string{"$JS.API.INFO", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.PURGE." + streamTools},
			api("STREAM.CREATE.%s", streamLog, streamRequests, streamHeads, streamTools, streamLease),
			api("DIRECT.GET.%s", streamLog, streamRequests, streamTools, streamLease),
			api("DIRECT.GET.%s.>", streamLog, streamRequests, streamHeads, streamTools, streamLease),
			api("CONSUMER.CREATE.%s.>", streamLease), api("CONSUMER.DELETE.%s.*", streamLease), api("CONSUMER.INFO.%s.*", streamLease),
			[]string{"$JS.FC." + streamLease + ".>"},
		),
		never: slices.Concat(
			api("STREAM.DELETE.%s", streamLog, streamRequests), api("STREAM.UPDATE.%s", streamLog, streamRequests),
			api("STREAM.PURGE.%s", streamLog, streamRequests), api("STREAM.MSG.DELETE.%s", streamLog, streamRequests),
			api("STREAM.RESTORE.%s", streamLog, streamRequests), []string{subjectRequest + ">"},
		),
		subscribe: []string{
			inboxTemplate, subjectReport + "*", subjectBeat + "*", subjectEnrol, subjectRenew, subjectQuery + "*", subjectUpload + "*",
			subjectRequest + "*.*", subjectLive + ">",
		},
		payloadBytes: limits.PayloadBytes,
	},
	{
		name: roleOperator, account: accountOperators,
		publish: slices.Concat(reads, []string{
			subjectRequest + "{{subject()}}.*", subjectUpload + "*",
			directGet(streamRequests) + "." + subjectRequest + "{{subject()}}.*",
		}),
		subscribe:    []string{inboxTemplate, subjectLive + ">"},
		payloadBytes: limits.PieceBytes + 4096,
	},
	{
		name: roleReader, account: accountOperators,
		publish:      reads,
		subscribe:    []string{inboxTemplate, subjectLive + ">"},
		payloadBytes: limits.PieceBytes,
	},
	{
		name: roleAgent, account: accountAgents,
		publish: []string{
			subjectReport + "{{name()}}", subjectBeat + "{{name()}}",
			directGet(streamLog) + "." + subjectLog + "order.{{name()}}.*", directGet(streamLog) + "." + subjectTrust,
			directGet(streamTools) + ".$O." + bucketTools + ".M.*",
			directGet(streamTools),
		},
		subscribe:    []string{inboxTemplate, subjectLive + "order.{{name()}}.*", subjectLive + entityTrust},
		payloadBytes: limits.ReportBytes,
	},
	{
		name: roleEnrol, account: accountEnrol,
		publish: []string{subjectEnrol, subjectRenew}, subscribe: []string{inboxTemplate}, payloadBytes: limits.EnrolBytes,
	},
	{
		name: roleSystem, account: accountSystem,
		publish: []string{accountUpdate("*")}, subscribe: []string{inboxTemplate}, payloadBytes: limits.PayloadBytes,
	},
}

// reads is what every operator may do: read the log and ask questions.
var reads = []string{subjectQuery + "*", directGet(streamLog), directGet(streamHeads) + "." + subjectHead}

// api names requests to JetStream about some streams.
func api(format string, streams ...string) []string {
	subjects := make([]string, len(streams))
	for i, s := range streams {
		subjects[i] = "$JS.API." + fmt.Sprintf(format, s)
	}
	return subjects
}

func directGet(stream string) string { return "$JS.API.DIRECT.GET." + stream }

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

// crossing is one thing that passes from CONTROL to another account.
type crossing struct {
	account string
	subject string
	stream  bool // CONTROL's messages flow out (all of live.>); else the account's requests flow in
	many    bool // a request is answered by several messages
}

var crossings = []crossing{
	{account: accountOperators, subject: subjectRequest + "*.*"},
	{account: accountOperators, subject: subjectQuery + "*", many: true},
	{account: accountOperators, subject: subjectUpload + "*"},
	{account: accountOperators, subject: directGet(streamLog), many: true},
	{account: accountOperators, subject: directGet(streamHeads) + "." + subjectHead},
	{account: accountOperators, subject: directGet(streamRequests) + "." + subjectRequest + "*.*"},
	{account: accountOperators, subject: subjectLive + ">", stream: true},
	{account: accountAgents, subject: subjectReport + "*"},
	{account: accountAgents, subject: subjectBeat + "*"},
	{account: accountAgents, subject: directGet(streamLog) + "." + subjectLog + "order.*.*"},
	{account: accountAgents, subject: directGet(streamLog) + "." + subjectTrust},
	{account: accountAgents, subject: directGet(streamTools) + ".$O." + bucketTools + ".M.*"},
	{account: accountAgents, subject: directGet(streamTools), many: true},
	{account: accountAgents, subject: subjectLive + "order.*.*", stream: true},
	{account: accountAgents, subject: subjectLive + entityTrust, stream: true},
	{account: accountEnrol, subject: subjectEnrol},
	{account: accountEnrol, subject: subjectRenew},
}

// cross adds the exports of CONTROL, or the imports of any other account.
func (t *Trust) cross(name string, claims *jwt.AccountClaims) {
	for _, c := range crossings {
		kind, response := jwt.Service, jwt.ResponseType(jwt.ResponseTypeSingleton)
		if c.stream {
			kind, response = jwt.Stream, ""
		} else if c.many {
			response = jwt.ResponseTypeStream
		}
		switch name {
		case accountControl:
			if !c.stream || c.subject == subjectLive+">" {
				claims.Exports.Add(&jwt.Export{Name: c.subject, Subject: jwt.Subject(c.subject), Type: kind, ResponseType: response})
			}
		case c.account:
			claims.Imports.Add(&jwt.Import{
				Name: c.subject, Subject: jwt.Subject(c.subject), Account: t.AccountIDs[accountControl], Type: kind,
			})
		}
	}
}
