package statesrv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/status"
)

// answers are what this state server answers, all from committed state.
func (t *term) answers() map[string]wire.Answer {
	table := map[string]wire.Answer{}
	for _, a := range []wire.Answer{
		wire.Status.AnsweredBy(fromState(t, t.statusJSON)),
		wire.Digest.AnsweredBy(fromState(t, positionOf)),
		wire.Environment.AnsweredBy(fromState(t, environmentOf)),
		wire.Pending.AnsweredBy(fromState(t, waitingOf)),
		wire.Version.AnsweredBy(t.answerVersion),
		wire.LogProof.AnsweredBy(t.answerLogProof),
		wire.LogLeaves.AnsweredBy(t.answerLeaves),
		wire.Resolve.AnsweredBy(t.answerResolve),
		wire.UpgradeCheck.AnsweredBy(t.answerCheck),
		wire.Tools.AnsweredBy(t.answerTools),
		wire.ToolsObjects.AnsweredBy(t.answerObjects),
		wire.ToolsHash.AnsweredBy(t.answerHash),
		wire.Trust.AnsweredBy(t.answerTrust),
		wire.TrustStage.AnsweredBy(t.answerStage),
		wire.EnrolCredentials.AnsweredBy(t.answerEnrolCredentials),
		wire.OperatorCredentials.AnsweredBy(t.answerCredentials),
	} {
		table[a.Name] = a
	}
	return table
}

// fromState answers from the state alone. f runs in the writer's goroutine.
func fromState[A any](t *term, f func(*projections.State) (A, error)) func(context.Context, wire.Nothing) (A, error) {
	return func(ctx context.Context, _ wire.Nothing) (answer A, err error) {
		var lookErr error
		lookErr = t.writer.look(ctx, func(st *projections.State) { answer, err = f(st) })
		return answer, errors.Join(lookErr, err)
	}
}

// serveQueries answers each query in a task of its own: no query waits for another one.
func (t *term) serveQueries(b *bus.Conn) (stop func(), err error) {
	answers := t.answers()
	return b.ServeQueries(func(q bus.Query) {
		a, ok := answers[q.Name]
		if !ok {
			q.Answer(nil, fmt.Errorf("there is no query %q; this state server runs %s", q.Name, version.Current()))
			return
		}
		t.spawn(func() { q.Answer(a.Answer(t.ctx, q.Body)) })
	})
}

// statusJSON is the status at the state's position. It is made once for each position,
// however many ask.
func (t *term) statusJSON(st *projections.State) (wire.Raw, error) {
	if t.status.seq == st.Seq && t.status.json != nil {
		return t.status.json, nil
	}
	b, err := json.Marshal(status.Make(st))
	if err != nil {
		return nil, err
	}
	t.status.seq, t.status.json = st.Seq, b
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

func (t *term) answerVersion(context.Context, wire.Nothing) (wire.Running, error) {
	return wire.Running{Version: version.Current()}, nil
}

func (t *term) answerTrust(context.Context, wire.Nothing) (wire.Raw, error) {
	return t.publisher.settled().Marshal(), nil
}

func environmentOf(st *projections.State) (wire.EnvironmentInfo, error) {
	e := wire.EnvironmentInfo{
		UUID: st.UUID, Name: st.Name, AgentVersion: st.AgentVersion, Settings: map[string]string{},
		Set: sortedKeys(st.Settings), Server: version.Current(),
	}
	for _, setting := range settings.All {
		e.Settings[setting.Key] = settings.Value(st.Settings, setting.Key)
	}
	return e, nil
}

// answerTools looks into the sources as well, which takes as long as they take, unless
// it is asked what is stored.
func (t *term) answerTools(ctx context.Context, where wire.Scope) (c wire.Catalogue, err error) {
	var now []listed
	if where != wire.OnlyStored {
		now = t.listSources()
	}
	if err = t.writer.look(ctx, func(st *projections.State) { c = catalogueOf(st, t.tools.said()) }); err != nil {
		return c, err
	}
	addSources(&c, now)
	c.Problems = append(c.Problems, t.tools.problems()...)
	return c, nil
}

// answerCheck judges an upgrade without recording anything.
func (t *term) answerCheck(ctx context.Context, ask events.AskUpgrade) (wire.Check, error) {
	t.lookFor(ask.Artefacts)
	c := wire.Check{Reasons: []events.Reason{}}
	err := t.writer.look(ctx, func(st *projections.State) {
		c.Reasons = append(c.Reasons, upgradeBlockers(st, &ask, t.knowledge(st))...)
	})
	return c, err
}

func (t *term) answerEnrolCredentials(context.Context, wire.Nothing) (wire.Credentials, error) {
	creds, err := t.cfg.Trust.EnrolCredentials()
	return wire.Credentials(creds), err
}

// answerCredentials signs the operator in who has the key: to read only, if that is all he
// may. What it answers is no secret: it is of use with his key alone.
func (t *term) answerCredentials(ctx context.Context, key wire.Text) (wire.Text, error) {
	var o events.Operator
	var known bool
	err := t.writer.look(ctx, func(st *projections.State) { o, known = st.Trust.Roster.Operator(string(key)) })
	if err == nil && !known {
		err = fmt.Errorf("no operator has the key %q", clip(string(key), 64))
	}
	if err != nil {
		return "", err
	}
	sign := t.cfg.Trust.ReaderJWT
	if slices.ContainsFunc(o.Grants, func(g events.Grant) bool { return g.Role != events.RoleRead }) {
		sign = t.cfg.Trust.OperatorJWT
	}
	token, err := sign(o.Name, o.Key)
	return wire.Text(token), err
}
