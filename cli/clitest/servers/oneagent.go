package servers

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
)

// oneagent DIR OTHER plays somebody who has one machine's key: DIR is a copy of that machine's
// directory. It tries to speak for machine OTHER, to hear the orders of that machine, to ask as an
// operator and to write the log. For each attempt it prints "refused", or "DONE" if it succeeded.
func oneAgent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: oneagent DIR OTHER")
	}
	conf, err := agent.LoadConf(ts.MkAbs(args[0]))
	ts.Check(err)
	creds, err := bus.LoadCredentials(conf.CredentialsFile())
	ts.Check(err)
	id, err := creds.Identity()
	ts.Check(err)
	conn, err := bus.Connect(context.Background(), bus.ConnConfig{
		URLs: conf.APIAddresses, Authorities: conf.AuthoritiesFile(), Credentials: creds, Name: conf.Tag,
	})
	ts.Check(err)
	defer conn.Close()
	other := events.MachineTag(args[1])
	lie := lieOf(ts, id, args[1])
	for _, try := range []struct {
		what string
		do   func(ctx context.Context) bool // whether it got through
	}{
		{"report on the other's subject", func(ctx context.Context) bool {
			_, err := conn.Report(ctx, other, lie)
			return err == nil
		}},
		{"report of the other on its own subject", func(ctx context.Context) bool {
			a, err := conn.Report(ctx, conf.Tag, lie)
			return err == nil && a.Code == ""
		}},
		{"hear the other's orders", func(ctx context.Context) bool {
			heard := make(chan events.Record, 100)
			_ = conn.Orders(ctx, other, func(rec events.Record) {
				if events.IsOrder(rec.Entity) {
					heard <- rec
				}
			})
			return len(heard) > 0
		}},
		{"ask as an operator", func(ctx context.Context) bool {
			_, err := conn.PublishRequest(ctx, id, events.Ask{
				ID: uuid.Must(uuid.NewV7()).String(), Environment: conf.Environment,
				Action: events.ActionUnsetEnv, UnsetEnv: []string{"agent-stream"},
			})
			return err == nil
		}},
		{"write the log", func(ctx context.Context) bool {
			_, err := conn.Log().Append(ctx, 1, lie)
			return err == nil
		}},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		outcome := "refused"
		if try.do(ctx) {
			outcome = "DONE"
		}
		cancel()
		_, err := fmt.Fprintf(ts.Stdout(), "%s: %s\n", try.what, outcome)
		ts.Check(err)
	}
}

// lieOf makes a report that speaks of another machine, signed with the key of this one.
func lieOf(ts *testscript.TestScript, id *bus.Identity, other string) events.Record {
	r := &events.RestartDone{PID: 1}
	r.Order = uuid.Must(uuid.NewV7()).String()
	r.SetHead(events.ReportHead{Machine: other, Epoch: uuid.Must(uuid.NewV7()).String(), N: 1})
	rec, err := events.New(events.Envelope{ID: uuid.Must(uuid.NewV7()).String(), Time: time.Now(), Actor: events.MachineTag(other)}, r)
	ts.Check(err)
	rec, err = rec.Signed(id)
	ts.Check(err)
	return rec
}
