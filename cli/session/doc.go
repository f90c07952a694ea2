// Package session is juju's connection to one environment: questions that the state server
// answers, requests that are signed here and judged there, and the witness that holds the
// environment's log to what this client has seen of it.
//
// It decides nothing about an environment and knows no command. What commands of one family
// do with a session is in the package of that family; each command declares the narrow
// interface of what it needs, which *Session has.
//
// The words: a question is asked and answered, and nothing is stored. A request is signed,
// stored in the log's stream REQUESTS, and judged by the state server, even when that comes
// back only later; its decision is read from the log. A checkpoint is the signed root over
// the first records of the log.
//
//	err := session.With(ctx, a, func(s *session.Session) error {
//		_, err := s.Request(ctx, events.Ask{Action: events.ActionSetEnv, SetEnv: set})
//		return err
//	})
//
// When a command is interrupted or its connection breaks, a request that was stored stays
// stored: the error says so, with the id under which the audit log shows what became of it.
package session
