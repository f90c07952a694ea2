// Package limits has every limit on what this product takes from a network or a file: how large, how
// many, how often, how long. A limit is declared here only, and the packages that enforce it import it.
// docs/LIMITS.md is generated from this file.
package limits

import "time"

// Messages on the bus.
const (
	PayloadBytes  = 1 << 20          // any NATS message
	ReportBytes   = 32 << 10         // one report of a machine
	BeatBytes     = 1 << 10          // one heartbeat
	EnrolBytes    = 8 << 10          // one enrolment
	PieceBytes    = 512 << 10        // one piece of an upload, one question
	RequestBytes  = 64 << 10         // one signed request of an operator
	HeaderBytes   = 1 << 10          // the headers that NATS may add to a request
	AnswerBytes   = 1 << 30          // an answer to a query, unpacked
	PendingBytes  = 16 << 20         // messages that wait for one handler; NATS drops what comes beyond
	UnreadBytes   = 8 << 20          // that wait for one connection to read them; NATS closes it beyond
	UnreadTime    = 10 * time.Second // that one write to a connection may take; NATS closes it after
	Connections   = 200_000          // at one NATS server
	ReportsAtOnce = 100              // messages of one machine, reports and beats together, …
	ReportEvery   = time.Second / 10 // … and how soon there may be another one
)

// Connections to the NATS server of a state server, beside all of them together.
const (
	ConnectionsOfMachine  = 4    // of the key of one machine
	ConnectionsOfOperator = 16   // of the key of one operator
	ConnectionsOfToken    = 512  // of the credentials of one call of add-machine: 200 hosts at most enrol with them, and renew
	HalfOpenOfAddress     = 64   // from one address, of which nobody has said yet who connects
	HalfOpen              = 1024 // likewise, from all addresses
	ClosedKept            = 100  // about which NATS remembers something after their end
)

// What is written about messages.
const (
	LogRepeats = 10 // lines of one kind in a minute; those that follow are counted
)

// What each key may have a state server store and work at. What is over it is refused with a code.
const (
	ReportBytesADay  = 8 << 20                // reports and beats of one machine
	RequestsAtOnce   = 200                    // requests of one operator, …
	RequestEvery     = 250 * time.Millisecond // … and how soon there may be another one
	RequestBytesADay = 32 << 20               // requests of one operator
	RequestsStored   = 16                     // requests that are being stored at a time; beyond it senders are told to come back
	EnrolmentsAtOnce = 400                    // enrolments under the credentials of one call of add-machine, and renewals, …
	EnrolmentEvery   = time.Second / 10       // … and how soon there may be another one
)

// Records of the log.
const (
	RecordBytes  = 256 << 10 // an encoded record, envelope and payload
	FieldBytes   = 256       // one field of an envelope
	PartBytes    = 180 << 10 // one part of signed metadata; written in base64 it fits into a record
	BatchRecords = 1000      // records that are appended at once; a limit of NATS
)

// Tools: archives and what is said of them.
const (
	ArchiveBytes      = 512 << 20 // an archive, packed
	UnpackedBytes     = 1 << 30   // what an archive unpacks to, all files together, …
	UnpackFactor      = 64        // … and at most so many times its signed size, …
	UnpackFloor       = 16 << 20  // … or so many bytes
	ArchiveEntries    = 16        // files in an archive
	ForceVersionBytes = 128       // a FORCE-VERSION file
	TrailingBytes     = 1 << 20   // padding behind the list of files in an archive
	MetadataBytes     = 8 << 20   // one file of a source's metadata; of a signed one, its signed length as well
	Redirects         = 5         // that are followed to a source
	Marks             = 256       // signings of versions that a source may speak of
)

// Questions that a state server answers, of those that need the state alone, and again of the others.
const (
	AnswersAtOnce  = 8       // that are made at once, …
	AnswersOfOne   = 2       // … and of them for one asker
	Questions      = 128     // that wait; beyond it they are refused, …
	QuestionsOfOne = 16      // … and of them those of one asker
	LeavesAtOnce   = 8 << 10 // hashes of records in one answer
)

// Uploads and what a state server keeps waiting.
const (
	Uploads        = 4                  // archives that are received at a time
	UploadParts    = 8                  // archives of which a part is kept, to be resumed
	UploadReserve  = 256 << 20          // bytes that must stay free for events beside an archive
	UploadIdle     = time.Minute        // after which an upload that sends nothing is put aside
	UploadKept     = 24 * time.Hour     // after which a part that nobody resumed is removed
	DiskFloor      = 32 << 20           // bytes that are free on the disk of an embedded NATS; below it nothing is written …
	DiskAgain      = 40 << 20           // … until so many are free again
	DiskReserve    = 16 << 20           // bytes of a file that gives way when the disk was filled at once
	DiskFiles      = 64                 // files that can still be made there; below it nothing is written either
	QueuedChanges  = 8192               // changes that wait for the log; beyond it senders are told to come back
	Invitations    = 200                // machines that are added at once
	RestartsAtOnce = 500                // agents that are restarted at once
	TokenLife      = 7 * 24 * time.Hour // of a join token
	ReasonBytes    = 1024               // a reason that somebody gives
	BootstrapBytes = 4 << 20            // what juju and jujud each say while they make an environment
)

// Requests that wait for more operators to agree.
const (
	PendingRequests   = 256 // of everybody, …
	PendingOfOperator = 16  // … and of one operator
)

// A machine: downloads and the self-test of what was downloaded.
const (
	DownloadTries   = 20               // before a download is given up; each resumes where the last one stopped
	DownloadBad     = 3                // downloads of wrong bytes, each from the start, before a download is given up
	DownloadWindow  = time.Minute      // over which the speed of a download is looked at
	DownloadRate    = 1 << 10          // bytes a second below which a download is cut off and resumed
	SelfCheckTime   = 10 * time.Second // the self-test of a staged version
	SelfCheckMemory = 4 << 30          // bytes of address space of each process in it
	SelfCheckTasks  = 4096             // processes and threads that may come up on the host during it
	SelfCheckOutput = 64 << 10         // bytes that it may say; the rest is dropped
	FailureText     = 4000             // bytes of what an agent says of a failure
	FailureOutput   = 8000             // bytes of a program's output in it
	WaitingProgress = 200              // reports that wait before mere progress is dropped
)
