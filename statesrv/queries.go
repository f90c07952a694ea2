package statesrv

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/logtree"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// queries answers the questions of operators. No answer changes the state. Answers come from committed
// state, so an operator never sees what could still be lost.
type queries struct {
	ctx       context.Context // of the term
	cfg       *Config
	writer    *writer.Writer
	tree      *logtree.Tree
	tools     *toolbox
	publisher *publisher
	staging   *staging
	room      *room
	spawn     func(func()) // answers as part of the term

	shows   *shows
	quick   *desk      // of questions that need the state alone
	slow    *desk      // of those that read sources or the store: nothing else waits for them
	hashing sync.Mutex // held while an object of the store is hashed, so that one is hashed at a time
}

// answers is the answer to each question of package wire, by the name of the question.
func (s *queries) answers() map[string]wire.Answer {
	table := map[string]wire.Answer{}
	for _, a := range []wire.Answer{
		wire.Status.AnsweredBy(fromState(s, func(st *shown) (wire.Raw, error) { return st.status() })),
		wire.Digest.AnsweredBy(fromState(s, positionOf)),
		wire.Environment.AnsweredBy(fromState(s, environmentOf)),
		wire.Pending.AnsweredBy(s.answerPending),
		wire.Version.AnsweredBy(s.answerVersion),
		wire.LogProof.AnsweredBy(s.answerLogProof),
		wire.LogLeaves.AnsweredBy(s.answerLeaves),
		wire.LogLeavesFrom.AnsweredBy(s.answerLeavesFrom),
		wire.Resolve.AnsweredBy(s.answerResolve),
		wire.UpgradeCheck.AnsweredBy(s.answerCheck),
		wire.Tools.AnsweredBy(s.answerTools),
		wire.ToolsObjects.AnsweredBy(s.answerObjects),
		wire.ToolsHash.AnsweredBy(s.answerHash),
		wire.Trust.AnsweredBy(s.answerTrust),
		wire.TrustStage.AnsweredBy(s.answerStage),
		wire.EnrolCredentials.AnsweredBy(s.answerEnrolCredentials),
		wire.OperatorCredentials.AnsweredBy(s.answerCredentials),
	} {
		table[a.Name] = a
	}
	return table
}

// fromState makes an answer that needs nothing but the state.
func fromState[A any](s *queries, f func(*shown) (A, error)) func(context.Context, wire.Nothing) (A, error) {
	return func(ctx context.Context, _ wire.Nothing) (answer A, err error) {
		st, err := s.shows.now(ctx)
		if err != nil {
			return answer, err
		}
		return f(st)
	}
}

// see shows the state as it is now. It is not in the writer's goroutine that f runs.
func (s *queries) see(ctx context.Context, f func(*projections.State)) error {
	st, err := s.shows.now(ctx)
	if err == nil {
		f(st.State)
	}
	return err
}

// slowQuestions read sources or the store.
var slowQuestions = []string{
	wire.Tools.Name, wire.UpgradeCheck.Name, wire.ToolsObjects.Name, wire.ToolsHash.Name, wire.LogLeaves.Name, wire.LogLeavesFrom.Name, wire.Trust.Name,
}

// serve answers questions, each asker's in turn.
func (s *queries) serve(b *bus.Conn) (stop func(), err error) {
	answers := s.answers()
	s.quick, s.slow = newDesk(s.spawn), newDesk(s.spawn)
	return b.ServeQueries(func(q bus.Query) {
		a, ok := answers[q.Name]
		if !ok {
			q.Answer(nil, fmt.Errorf("there is no query %q; this state server runs %s", q.Name, version.Current()))
			return
		}
		at := s.quick
		if slices.Contains(slowQuestions, q.Name) {
			at = s.slow
		}
		why := at.ask(q.From, func() {
			if err := s.known(q.From); err != nil && q.Name != wire.LogProof.Name {
				q.Answer(nil, err)
				return
			}
			q.Answer(a.Answer(s.ctx, q.Body))
		})
		if why != nil {
			q.Answer(nil, why)
		}
	})
}

// known refuses to answer a key that is no operator's. NATS lets in an operator who was removed until it
// has been told, a moment later. What is signed of the log is told to everybody: in a log that went back
// to an old copy, operators are missing who must find out just that.
func (s *queries) known(key string) error {
	if key == "" {
		return nil
	}
	var known bool
	if err := s.writer.Look(s.ctx, func(st *projections.State) { _, known = st.Trust.Roster.Operator(key) }); err != nil || known {
		return err
	}
	return events.Refuse(events.CodeRequestOperator, "the key %s is no operator's, or not any more", key)
}

func positionOf(st *shown) (wire.Position, error) {
	return wire.Position{Seq: st.Seq, Digest: st.digest()}, nil
}

func (s *queries) answerVersion(context.Context, wire.Nothing) (wire.Running, error) {
	return wire.Running{Version: version.Current(), Stopped: s.room.why()}, nil
}

func (s *queries) answerTrust(context.Context, wire.Nothing) (wire.Raw, error) {
	return s.publisher.awaitCurrent().Marshal(), nil
}

func environmentOf(st *shown) (wire.EnvironmentInfo, error) {
	e := wire.EnvironmentInfo{
		UUID: st.UUID, Name: st.Name, AgentVersion: st.AgentVersion, Settings: map[string]string{},
		Set: slices.Sorted(maps.Keys(st.Settings)), Server: version.Current(),
	}
	for _, setting := range settings.All {
		e.Settings[setting.Key] = settings.Value(st.Settings, setting.Key)
	}
	p := st.Publishers()
	e.Settings["tools-source"] = cmp.Or(strings.Join(p.Sources, " "), settings.NoSource)
	e.Settings["tools-signers"], e.Settings["tools-unsigned"] = strings.Join(p.Signers, " "), strings.Join(p.Unsigned, " ")
	return e, nil
}

// answerTools lists the tools that are stored and, unless only those are asked for, what every source
// offers. Asking the sources takes up to sourceTimeout.
func (s *queries) answerTools(ctx context.Context, where wire.Scope) (c wire.Catalogue, err error) {
	var now []sourceListing
	if where != wire.OnlyStored {
		now = s.tools.askSources(ctx)
	}
	st, err := s.shows.now(ctx)
	if err != nil {
		return c, err
	}
	c = catalogueOf(st.State, s.tools.known().Marks)
	addSources(&c, now)
	c.Problems = append(c.Problems, s.tools.fetchProblems()...)
	return c, nil
}

// answerCheck says what forbids an upgrade now, without recording anything.
func (s *queries) answerCheck(ctx context.Context, ask events.AskUpgrade) (wire.Check, error) {
	if s.missing(ctx, ask) {
		s.tools.askSources(ctx)
	}
	c := wire.Check{Reasons: []events.Reason{}}
	err := s.see(ctx, func(st *projections.State) {
		c.Reasons = append(c.Reasons, decide.Blockers(st, &ask, knownOf(s.tools, s.publisher))...)
	})
	return c, err
}

func (s *queries) answerEnrolCredentials(context.Context, wire.Nothing) (wire.Credentials, error) {
	creds, err := s.cfg.Accounts.EnrolCredentials()
	return wire.Credentials(creds), err
}

// answerCredentials signs credentials for the operator who has the key. An operator with no role but
// read gets credentials with which NATS lets nobody request anything. The answer is no secret: NATS accepts
// it only with a signature of the operator's private key.
func (s *queries) answerCredentials(ctx context.Context, key wire.Text) (wire.Text, error) {
	var o events.Operator
	var known bool
	var revoked time.Time
	err := s.see(ctx, func(st *projections.State) {
		o, known = st.Trust.Roster.Operator(string(key))
		revoked = st.Dismissed[string(key)]
	})
	if err == nil && !known {
		err = fmt.Errorf("no operator has the key %.64q", string(key))
	}
	if err == nil {
		// NATS counts in seconds: what is made in the one in which others were revoked is revoked, too.
		err = host.Wait(ctx, revoked.Truncate(time.Second).Add(time.Second).Sub(s.cfg.Now()))
	}
	if err != nil {
		return "", err
	}
	sign := s.cfg.Accounts.ReaderJWT
	if o.MayAsk() {
		sign = s.cfg.Accounts.OperatorJWT
	}
	token, err := sign(o.Name, o.Key)
	return wire.Text(token), err
}

// missing says whether an upgrade names an archive that is neither stored nor known to be
// offered: then the sources are worth asking again.
func (s *queries) missing(ctx context.Context, ask events.AskUpgrade) (missing bool) {
	err := s.see(ctx, func(st *projections.State) { missing = len(decide.Missing(st, &ask, s.tools.known())) > 0 })
	return err == nil && missing
}

// answerResolve says what a client must sign beside what its operator typed.
func (s *queries) answerResolve(ctx context.Context, ask events.Ask) (r wire.Resolution, err error) {
	err = s.see(ctx, func(st *projections.State) { r = targets.Resolve(st, ask) })
	return r, err
}

// answerPending gives the request of that id that waits for approval or, to a client of before, which
// names none, the upgrade that does.
func (s *queries) answerPending(ctx context.Context, id wire.Text) (a wire.Waiting, err error) {
	err = s.see(ctx, func(st *projections.State) {
		w := st.Pending[string(id)]
		if id == "" {
			w = st.PendingUpgrade()
		}
		if w != nil {
			a = wire.Waiting{ID: w.Request.ID, Signed: w.Request.Signed, Agreed: w.Agreed, Needed: w.Needed()}
		}
	})
	return a, err
}
