// Package names has every account, stream, bucket and subject of an environment, on one
// screen. Package bus uses them, package bus/server makes them and says who may do what
// there (roles.go).
//
// The account CONTROL has the streams. What other accounts may do with them CONTROL exports,
// item by item, and they import it (exports.go in bus/server):
//
//	account    who                    what he may do
//	CONTROL    state servers          append to the log; store and delete tools; serve all others
//	OPERATORS  operators with juju    read and follow the log; query; but for mere readers: publish own requests, upload
//	AGENTS     machines               report; beat; read own orders and all tools; follow own orders
//	ENROL      hosts with a token     ask to be enrolled; ask for new credentials
//	SYS        state servers          tell NATS whose credentials are revoked
package names

// Accounts.
const (
	AccountControl   = "CONTROL"
	AccountOperators = "OPERATORS"
	AccountAgents    = "AGENTS"
	AccountEnrol     = "ENROL"
	AccountSystem    = "SYS"
)

// Streams and buckets. A bucket of the object store or of a key-value store is a stream, too.
const (
	StreamLog         = "LOG"         // the truth: append only, by one writer
	StreamRequests    = "REQUESTS"    // signed requests: one message a subject, for ever
	StreamCheckpoints = "CHECKPOINTS" // the newest signed checkpoint of LOG, nothing else

	BucketTools = "tools" // of objects: archives and metadata, by digest
	StreamTools = "OBJ_" + BucketTools
	BucketLease = "lease" // of keys: which state server leads
	StreamLease = "KV_" + BucketLease
)

// Subjects. One that ends in a dot is a prefix; the comment says what follows.
const (
	SubjectLog        = "log."       // ENTITY: stored in LOG
	SubjectLive       = "live."      // ENTITY: LOG republishes every record here after its commit
	SubjectHeard      = "_R_.live."  // ENTITY: the same, as machines and operators hear it
	SubjectRequest    = "requests."  // OPERATOR-KEY.REQUEST-ID: stored in REQUESTS, by state servers
	SubjectAsk        = "ask."       // OPERATOR-KEY.REQUEST-ID: what operators publish as requests.> comes to state servers here
	SubjectCheckpoint = "checkpoint" // stored in CHECKPOINTS

	SubjectReport = "report." // machine-N: request; answered when the report is on disk
	SubjectBeat   = "beat."   // machine-N: heartbeat, which nobody stores; now and then a request
	SubjectEnrol  = "enrol"   // request of a host with a join token
	SubjectRenew  = "renew"   // request of a machine for new credentials
	SubjectQuery  = "query."  // NAME: request; answered by one message or more
	SubjectUpload = "upload." // SHA256: request; a piece of an archive
)

// Whoever may ask for something names the subject of the answer, and NATS does not check it: the
// answer would be heard by others who subscribe to it. But NATS takes no request whose reply
// begins with _R_, which is its own prefix for answers between accounts, so nobody can have
// anything delivered under SubjectHeard. Source: nats-server 2.15, client.go, isReservedReply.

// Every machine may read the newest record about this entity: what is published of trust.
const (
	EntityTrust  = "trust"
	SubjectTrust = SubjectLog + EntityTrust
)

// Where the bucket of tools keeps an object: its description on the first of these subjects,
// followed by its name in base64, and its chunks on the second one, followed by its NUID.
// Source: NATS ADR-20.
const (
	SubjectDescribed = "$O." + BucketTools + ".M."
	SubjectChunks    = "$O." + BucketTools + ".C."
)

// GenerationTag begins the tag of a machine's user JWT that says how often it was renewed.
const GenerationTag = "generation:"

// DirectGet is the subject of a Direct Get of several messages of a stream. The subject of a
// Direct Get of one subject's newest message is this, a dot, and that subject.
// Source: NATS ADR-31.
func DirectGet(stream string) string { return "$JS.API.DIRECT.GET." + stream }

// InboxPrefix begins the inboxes of one user. Each user has a prefix of his own, so that
// nobody can read another's answers.
func InboxPrefix(publicKey string) string { return "_INBOX." + publicKey }

// AccountUpdate is where NATS takes new claims of an account. Source: nats-server, events.go.
func AccountUpdate(account string) string { return "$SYS.REQ.ACCOUNT." + account + ".CLAIMS.UPDATE" }
