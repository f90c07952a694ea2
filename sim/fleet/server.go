package fleet

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/logtree"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// server is one term of a state server: the product's decisions and the product's writer. The
// simulation calls them where the product has goroutines. server is the writer's owner. It checks no
// signatures, as nobody here forges one. All tools are stored, so it never fetches any.
type server struct {
	*world
	writer *writer.Writer
	tree   *logtree.Tree
	heard  decide.Heard
	due    bool // a commit is planned

	warrants decide.Warrants
}

// serve begins a term. from is the fold of the log up to from.Seq; serve reads and folds the rest.
func (w *world) serve(name string, from *projections.State) (*server, error) {
	key, err := logKey()
	if err != nil {
		return nil, err
	}
	logger := slog.New(slog.DiscardHandler)
	s := &server{world: w, tree: logtree.New(environment, key, logger), heard: decide.Heard{Since: w.wall(), Last: map[string]time.Time{}}}
	last, err := w.log.Last(context.Background())
	if err != nil {
		return nil, err
	}
	for stored, err := range w.log.Stored(context.Background(), 1, last) {
		if err == nil {
			err = s.tree.Add(stored)
		}
		if err != nil {
			return nil, err
		}
		rec, err := stored.Record()
		if err != nil {
			return nil, err
		}
		from.Fold(rec)
	}
	s.writer = writer.New(writer.Config{
		Log: w.log, Actor: name, Now: w.wall, NewID: w.newID, Logger: logger,
		Pause: func(context.Context, time.Duration) error { return nil },
	}, from, s)
	return s, nil
}

// logKey gives the same log key in every story, so that a seed gives the same run.
func logKey() (*tree.Signer, error) {
	private, _, err := tree.NewKey(bytes.NewReader(make([]byte, 64)), environment)
	if err != nil {
		return nil, err
	}
	return tree.NewSigner(environment, private)
}

// state is the fold of what is committed.
func (s *server) state() *projections.State { return s.writer.State() }

// record queues facts from before the story begins: the environment and its machines.
func (s *server) record(payloads ...events.Payload) {
	s.decide(func(decide.At) (d decide.Decision) {
		for _, p := range payloads {
			d.Facts = append(d.Facts, decide.Fact{Payload: p})
		}
		return d
	})
}

func (s *server) decide(f func(decide.At) decide.Decision) {
	s.writer.Submit(writer.Change{Decide: func(at decide.At) (decide.Decision, error) { return f(at), nil }})
}

// report queues what a machine sent.
func (s *server) report(machine string, data []byte, answer func(wire.ReportAnswer)) {
	told, err := decide.ReadReport(events.MachineTag(machine), data)
	if err != nil {
		answer(wire.ReportAnswer{Code: wire.ReportInvalid, Text: err.Error()})
		return
	}
	s.beat(machine)
	var code string
	s.writer.Submit(writer.Change{
		Decide: func(at decide.At) (d decide.Decision, err error) {
			d, code, err = decide.Report(at, told)
			return d, err
		},
		Done: func(seq uint64, err error) {
			switch {
			case writer.NotStored(err):
				answer(wire.ReportAnswer{Code: wire.ReportRetry, Text: err.Error()})
			case err != nil:
				answer(wire.ReportAnswer{Code: code, Text: err.Error()})
			default:
				answer(wire.ReportAnswer{Seq: seq, Code: code})
			}
		},
	})
}

// beat is a sign of life.
func (s *server) beat(machine string) { s.heard.Last[machine] = s.wall() }

// tick lets time pass: silence and deadlines.
func (s *server) tick() {
	s.decide(func(at decide.At) decide.Decision { return decide.Pass(at, s.heard) })
}

// everything is signed metadata that lists every archive.
type everything struct{}

func (everything) Tools(tools.Tools) error { return nil }

// ask queues an operator's request, which is message seq of the stream of requests. A request that
// was judged before is not judged again.
func (s *server) ask(seq uint64, operator string, ask events.Ask) {
	by := events.Operator{Name: operator, Grants: []events.Grant{{Role: events.RoleAdmin}}}
	s.decide(func(at decide.At) decide.Decision {
		r := decide.Request{Seq: seq, ID: ask.ID, Signed: []byte("{}"), Ask: signed(at.State, ask)}
		return decide.Judge(at, r, by, decide.Known{Signed: everything{}})
	})
}

// signed adds what a client signs besides what the operator typed, from the state as it is now.
func signed(st *projections.State, ask events.Ask) events.Ask {
	ask.Until = ask.Created.Add(events.MaxRequestLife)
	list, err := warrant.NewList(targets.Of(st, ask))
	if err == nil {
		ask.Machines, err = list.Signed()
	}
	if err != nil {
		ask.Machines = nil // it is about no machine, and is refused for that
	}
	return ask
}

// flush writes what is queued. An error ends the term: another server has written, or the outcome
// of the append is not known.
func (s *server) flush() error { return s.writer.Flush(context.Background()) }

// Plan implements writer.Owner.
func (s *server) Plan(at decide.At, committed uint64) decide.Decision {
	return decide.Plan(at, decide.Outlook{Committed: committed, Warrants: &s.warrants})
}

// Prove implements writer.Owner.
func (s *server) Prove(ctx context.Context, f *decide.Fact) error {
	for stored, err := range s.log.Stored(ctx, f.Proof.Seq, f.Proof.Seq) {
		if err == nil {
			f.Payload.(*events.OrderIssued).Log, err = s.tree.Prove(stored, f.Proof.Heads, s.wall())
		}
		return err
	}
	return fmt.Errorf("the log has no record %d", f.Proof.Seq)
}

// Appended implements writer.Owner.
func (s *server) Appended(recs []events.Record, _ time.Duration) { s.tree.Append(recs) }

// Want implements writer.Owner: all tools are stored, so nothing is ever wanted.
func (s *server) Want(w decide.Want) { s.fail("a plan wants %T", w) }

// Committed implements writer.Owner.
func (s *server) Committed(*projections.State) { s.tree.SignIfDue(s.wall()) }
