// Package names has every account, stream, bucket and subject of an environment, on one
// screen. Package bus speaks to them, package bus/server makes them and says who may do
// what there (roles.go).
//
// CONTROL owns the streams. What other accounts may do there is imported, item by item,
// from what CONTROL exports.
//
//	account    who                         may
//	CONTROL    state servers               write the log, tools and the lease; serve the rest; delete tools only
//	OPERATORS  juju                        read the log; follow live; query; who is no mere reader: publish own requests, upload
//	AGENTS     machines                    report, beat; read own orders and tools chunks; follow own live orders
//	ENROL      a host with a join token    ask to be enrolled; ask for new credentials
//	SYS        state servers               tell NATS whose credentials are revoked
package names

// Accounts.
const (
	AccountControl   = "CONTROL"
	AccountOperators = "OPERATORS"
	AccountAgents    = "AGENTS"
	AccountEnrol     = "ENROL"
	AccountSystem    = "SYS"
)

// Streams and buckets.
const (
	StreamLog      = "LOG"                // the truth: append only, one writer
	StreamRequests = "REQUESTS"           // signed requests: one message a subject, for ever
	StreamHeads    = "CHECKPOINTS"        // the newest signed checkpoint of LOG, nothing else
	BucketTools    = "tools"              // archives by digest; its stream is OBJ_tools
	StreamTools    = "OBJ_" + BucketTools // where the bucket keeps its objects
	BucketLease    = "lease"              // which state server leads
	StreamLease    = "KV_" + BucketLease  // where the bucket keeps its key
)

// Subjects.
const (
	SubjectLog     = "log."  // log.ENTITY, stored in LOG
	SubjectLive    = "live." // live.ENTITY: LOG republishes every record after its commit
	SubjectTrust   = SubjectLog + EntityTrust
	SubjectRequest = "requests."  // requests.OPERATOR-KEY.REQUEST-ID, stored in REQUESTS
	SubjectHead    = "checkpoint" // stored in CHECKPOINTS
	SubjectReport  = "report."    // report.machine-N: request; answered when the report is on disk
	SubjectBeat    = "beat."      // beat.machine-N: heartbeat, kept in memory only; now and then a request
	SubjectEnrol   = "enrol"      // request of a host with a join token
	SubjectRenew   = "renew"      // request of a machine whose credentials end
	SubjectQuery   = "query."     // query.NAME: request; answered in one or more messages
	SubjectUpload  = "upload."    // upload.SHA256: request; one piece of an archive
)

// EntityTrust is the entity of trust.published: every machine may read its newest record.
const EntityTrust = "trust"

// Where the object store keeps an object of the bucket of tools: its description under a
// name in base64, and its chunks under a NUID. Source: NATS ADR-20.
const (
	SubjectDescribed = "$O." + BucketTools + ".M."
	SubjectChunks    = "$O." + BucketTools + ".C."
)

// GenerationTag stands in the JWT of a machine's user before how often it was renewed.
const GenerationTag = "generation:"

// DirectGet is where JetStream answers a Direct Get of a stream. For the newest message of
// one subject that subject follows behind a dot. Source: NATS ADR-31.
func DirectGet(stream string) string { return "$JS.API.DIRECT.GET." + stream }

// InboxPrefix is the prefix of a user's inboxes: each has its own, so that nobody can read
// another's answers.
func InboxPrefix(publicKey string) string { return "_INBOX." + publicKey }

// AccountUpdate is where NATS takes an account's new claims. Source: nats-server, events.go.
func AccountUpdate(id string) string { return "$SYS.REQ.ACCOUNT." + id + ".CLAIMS.UPDATE" }
