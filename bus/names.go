package bus

import "time"

// Every stream, bucket, subject and account of an environment, on one screen.
//
// CONTROL owns the streams. What the others may do there is imported, item by item,
// from what CONTROL exports; see roles.go for the permissions of each role.
//
//	account    who                         may
//	CONTROL    state servers               write the log, tools and the lease; serve the rest; delete tools only
//	OPERATORS  juju                        read the log; follow live; query; who is no mere reader: publish own requests, upload
//	AGENTS     machines                    report, beat; read own orders and tools chunks; follow own live orders
//	ENROL      a host with a join token    ask to be enrolled; ask for new credentials
//	SYS        state servers               tell NATS whose credentials are revoked
const (
	accountControl   = "CONTROL"
	accountOperators = "OPERATORS"
	accountAgents    = "AGENTS"
	accountEnrol     = "ENROL"
	accountSystem    = "SYS"
)

// Streams and buckets.
const (
	streamLog      = "LOG"                // the truth: append only, one writer
	streamRequests = "REQUESTS"           // signed requests: one message a subject, for ever
	streamHeads    = "CHECKPOINTS"        // the newest signed checkpoint of LOG, nothing else
	bucketTools    = "tools"              // archives by digest; its stream is OBJ_tools
	streamTools    = "OBJ_" + bucketTools // where the bucket keeps its objects
	bucketLease    = "lease"              // which state server leads
	streamLease    = "KV_" + bucketLease  // where the bucket keeps its key
	dirAccounts    = "accounts"           // where NATS keeps the accounts' claims, beside its streams
)

// Subjects.
const (
	subjectLog     = "log."  // log.ENTITY, stored in LOG
	subjectLive    = "live." // live.ENTITY: LOG republishes every record after its commit
	subjectTrust   = subjectLog + entityTrust
	subjectRequest = "requests."  // requests.OPERATOR-KEY.REQUEST-ID, stored in REQUESTS
	subjectHead    = "checkpoint" // stored in CHECKPOINTS
	subjectReport  = "report."    // report.machine-N: request; answered when the report is on disk
	subjectBeat    = "beat."      // beat.machine-N: heartbeat, kept in memory only; now and then a request
	subjectEnrol   = "enrol"      // request of a host with a join token
	subjectRenew   = "renew"      // request of a machine whose credentials end
	subjectQuery   = "query."     // query.NAME: request; answered in one or more messages
	subjectUpload  = "upload."    // upload.SHA256: request; one piece of an archive
)

// entityTrust is the entity of trust.published: every machine may read its newest record.
const entityTrust = "trust"

// Limits of the server that are not about what it takes.
const (
	maxStoreBytes = 1 << 40          // of JetStream; the disk ends before
	authTimeout   = 20 * time.Second // a fleet that comes back at once is not thrown out
)

// maxAnswerBytes is one message of an answer to a query.
const maxAnswerBytes = 512 << 10
