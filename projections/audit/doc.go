// Package audit tells the log to people: who did what, when, and why in words. Filter
// chooses records, the writers print them, and a Verifier proves that a log is whole.
//
// All of it is pure: it reads records that somebody else fetched.
package audit
