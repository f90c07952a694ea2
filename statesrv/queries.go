package statesrv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/status"
	"github.com/jujube-project/jujube/projections/targets"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/logtree"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// queries answers what operators ask. Nothing that it answers changes anything.
type queries struct {
	ctx       context.Context // of the term
	cfg       *Config
	writer    *writer.Writer
	tree      *logtree.Tree
	tools     *toolbox
	publisher *publisher
	staging   *staging
	spawn     func(func()) // answers as part of the term

	hashing sync.Mutex   // held while an object of the store is read: one at a time, each as fast as it can
	status  cachedStatus // the writer's goroutine only
}

// answers are what this state server answers, all from committed state.
func (s *queries) answers() map[string]wire.Answer {
	table := map[string]wire.Answer{}
	for _, a := range []wire.Answer{
		wire.Status.AnsweredBy(fromState(s, s.statusJSON)),
		wire.Digest.AnsweredBy(fromState(s, positionOf)),
		wire.Environment.AnsweredBy(fromState(s, environmentOf)),
		wire.Pending.AnsweredBy(fromState(s, waitingOf)),
		wire.Version.AnsweredBy(s.answerVersion),
		wire.LogProof.AnsweredBy(s.answerLogProof),
		wire.LogLeaves.AnsweredBy(s.answerLeaves),
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

// fromState answers from the state alone. f runs in the writer's goroutine.
func fromState[A any](s *queries, f func(*projections.State) (A, error)) func(context.Context, wire.Nothing) (A, error) {
	return func(ctx context.Context, _ wire.Nothing) (answer A, err error) {
		lookErr := s.writer.Look(ctx, func(st *projections.State) { answer, err = f(st) })
		return answer, errors.Join(lookErr, err)
	}
}

// serve answers each query in a task of its own: no query waits for another one.
func (s *queries) serve(b *bus.Conn) (stop func(), err error) {
	answers := s.answers()
	return b.ServeQueries(func(q bus.Query) {
		a, ok := answers[q.Name]
		if !ok {
			q.Answer(nil, fmt.Errorf("there is no query %q; this state server runs %s", q.Name, version.Current()))
			return
		}
		s.spawn(func() { q.Answer(a.Answer(s.ctx, q.Body)) })
	})
}

// statusJSON is the status at the state's position. It is made once for each position,
// however many ask.
func (s *queries) statusJSON(st *projections.State) (wire.Raw, error) {
	if s.status.seq == st.Seq && s.status.json != nil {
		return s.status.json, nil
	}
	b, err := json.Marshal(status.Make(st))
	if err != nil {
		return nil, err
	}
	s.status.seq, s.status.json = st.Seq, b
	return b, nil
}

// cachedStatus belongs to the writer's goroutine.
type cachedStatus struct {
	seq  uint64
	json wire.Raw
}

func positionOf(st *projections.State) (wire.Position, error) {
	return wire.Position{Seq: st.Seq, Digest: st.Digest()}, nil
}

func (s *queries) answerVersion(context.Context, wire.Nothing) (wire.Running, error) {
	return wire.Running{Version: version.Current()}, nil
}

func (s *queries) answerTrust(context.Context, wire.Nothing) (wire.Raw, error) {
	return s.publisher.settled().Marshal(), nil
}

func environmentOf(st *projections.State) (wire.EnvironmentInfo, error) {
	e := wire.EnvironmentInfo{
		UUID: st.UUID, Name: st.Name, AgentVersion: st.AgentVersion, Settings: map[string]string{},
		Set: slices.Sorted(maps.Keys(st.Settings)), Server: version.Current(),
	}
	for _, setting := range settings.All {
		e.Settings[setting.Key] = settings.Value(st.Settings, setting.Key)
	}
	return e, nil
}

// answerTools looks into the sources as well, which takes as long as they take, unless
// it is asked what is stored.
func (s *queries) answerTools(ctx context.Context, where wire.Scope) (c wire.Catalogue, err error) {
	var now []listed
	if where != wire.OnlyStored {
		now = s.tools.ask(ctx)
	}
	if err = s.writer.Look(ctx, func(st *projections.State) { c = catalogueOf(st, s.tools.known().Marks) }); err != nil {
		return c, err
	}
	addSources(&c, now)
	c.Problems = append(c.Problems, s.tools.problems()...)
	return c, nil
}

// answerCheck judges an upgrade without recording anything.
func (s *queries) answerCheck(ctx context.Context, ask events.AskUpgrade) (wire.Check, error) {
	if s.missing(ctx, ask) {
		s.tools.ask(ctx)
	}
	c := wire.Check{Reasons: []events.Reason{}}
	err := s.writer.Look(ctx, func(st *projections.State) {
		c.Reasons = append(c.Reasons, decide.Blockers(st, &ask, knownOf(s.tools, s.publisher))...)
	})
	return c, err
}

func (s *queries) answerEnrolCredentials(context.Context, wire.Nothing) (wire.Credentials, error) {
	creds, err := s.cfg.Accounts.EnrolCredentials()
	return wire.Credentials(creds), err
}

// answerCredentials signs the operator in who has the key: to read only, if that is all he
// may. What it answers is no secret: it is of use with his key alone.
func (s *queries) answerCredentials(ctx context.Context, key wire.Text) (wire.Text, error) {
	var o events.Operator
	var known bool
	err := s.writer.Look(ctx, func(st *projections.State) { o, known = st.Trust.Roster.Operator(string(key)) })
	if err == nil && !known {
		err = fmt.Errorf("no operator has the key %.64q", string(key))
	}
	if err != nil {
		return "", err
	}
	sign := s.cfg.Accounts.ReaderJWT
	if slices.ContainsFunc(o.Grants, func(g events.Grant) bool { return g.Role != events.RoleRead }) {
		sign = s.cfg.Accounts.OperatorJWT
	}
	token, err := sign(o.Name, o.Key)
	return wire.Text(token), err
}

// missing says whether an upgrade names an archive that is neither stored nor known to be
// offered: then the sources are worth asking again.
func (s *queries) missing(ctx context.Context, ask events.AskUpgrade) (missing bool) {
	err := s.writer.Look(ctx, func(st *projections.State) { missing = len(decide.Missing(st, &ask, s.tools.known())) > 0 })
	return err == nil && missing
}

// answerResolve says what a client signs beside what the operator typed.
func (s *queries) answerResolve(ctx context.Context, ask events.Ask) (r wire.Resolution, err error) {
	err = s.writer.Look(ctx, func(st *projections.State) { r = targets.Resolve(st, ask) })
	return r, err
}

func waitingOf(st *projections.State) (wire.Waiting, error) {
	if w := st.Pending; w != nil {
		return wire.Waiting{Upgrade: w.ID, Signed: w.Signed, Agreed: w.Agreed, Needed: w.Needed}, nil
	}
	return wire.Waiting{}, nil
}
