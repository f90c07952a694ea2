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
//	ENROL      a host with a join token    ask to be enrolled
//	SYS        nobody but NATS itself
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
	bucketTools    = "tools"              // archives by digest; its stream is OBJ_tools
	streamTools    = "OBJ_" + bucketTools // where the bucket keeps its objects
	bucketLease    = "lease"              // which state server leads
	streamLease    = "KV_" + bucketLease  // where the bucket keeps its key
)

// Subjects.
const (
	subjectLog     = "log."      // log.ENTITY, stored in LOG
	subjectLive    = "live."     // live.ENTITY: LOG republishes every record after its commit
	subjectRequest = "requests." // requests.OPERATOR-KEY.REQUEST-ID, stored in REQUESTS
	subjectReport  = "report."   // report.machine-N: request; answered when the report is on disk
	subjectBeat    = "beat."     // beat.machine-N: heartbeat, kept in memory only
	subjectEnrol   = "enrol"     // request of a host with a join token
	subjectQuery   = "query."    // query.NAME: request; answered in one or more messages
	subjectUpload  = "upload."   // upload.SHA256: request; one piece of an archive
)

// Limits on what is taken from the network. Records and requests have theirs in events.
const (
	maxPayloadBytes = 1 << 20   // any NATS message
	maxReportBytes  = 32 << 10  // one report
	maxBeatBytes    = 1 << 10   // one heartbeat
	maxEnrolBytes   = 8 << 10   // one enrolment
	maxPieceBytes   = 512 << 10 // one piece of an upload
	maxAnswerBytes  = 512 << 10 // one message of an answer to a query
)

// Limits of the server.
const (
	maxStoreBytes  = 1 << 40 // of JetStream; the disk ends before
	maxConnections = 200_000
	authTimeout    = 20 * time.Second // a fleet that comes back at once is not thrown out
)
