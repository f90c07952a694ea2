// Package statesrv is the state server: it takes requests, reports and enrolments, records
// what is decided on them, answers only then, and does what was decided.
//
// Four verbs in four places: decide (package decide, pure) → record (package writer, the log's
// only writer) → fold (package projections) → do (here). A conflict at the log means that
// another state server leads: this one steps down.
//
// A Server leads in terms. A term puts together, in term.go, small types with one task each:
//
//	owner.go                         whom the writer serves: the plan, proofs of orders, wants
//	requests.go                      the stream of requests, and in which order they are judged
//	reports.go, beats.go             what agents tell, and that they live (presence.go)
//	enrolments.go, renewals.go       machines and their credentials
//	queries.go and its neighbours    what operators ask
//	toolbox.go, sources.go           what sources of tools have, and (fetches.go) what is fetched from them
//	uploads.go, upload.go            archives that are handed over
//	publisher.go, publish.go         the environment's signed metadata (staging.go)
//	load.go, snapshot.go             what a term begins with, and leaves for the next
//	config.go, fileconfig.go         what a state server needs; files.go: where its files lie
//	directory.go, site.go, logkey.go the keys that bootstrap makes for it
//	revoke.go                        tells NATS whose credentials are revoked
//
// HTTP (http*.go, page.go) is served by the Server, in every term and between them.
//
// After a crash nothing that was answered is lost and nothing is decided twice: the log
// says which requests were judged and which reports were seen.
package statesrv
