package statesrv

import (
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

// onQuery answers from committed state only.
func (t *term) onQuery(q bus.Query) {
	look, ok := map[string]func(*projections.State) (any, error){
		"status":      func(st *projections.State) (any, error) { return t.statusJSON(st) },
		"digest":      func(st *projections.State) (any, error) { return wire.Position{Seq: st.Seq, Digest: st.Digest()}, nil },
		"environment": func(st *projections.State) (any, error) { return environmentOf(st), nil },
		"pending":     func(st *projections.State) (any, error) { return waitingOf(st), nil },
	}[q.Name]
	switch {
	case ok:
		t.writer.submit(change{view: func(st *projections.State) { t.answerJSON(q, look, st) }, done: func(_ uint64, err error) { q.Answer(nil, err) }})
	case q.Name == "enrol-credentials":
		creds, err := t.cfg.Trust.EnrolCredentials()
		b, jsonErr := json.Marshal(creds)
		q.Answer(b, errors.Join(err, jsonErr))
	case q.Name == "operator-credentials":
		t.spawn(func() { t.answerCredentials(q) })
	case q.Name == "log-proof":
		t.answerLogProof(q)
	case q.Name == "log-leaves":
		t.spawn(func() { q.Answer(t.keeper.leaves()) })
	case q.Name == "version":
		b, err := json.Marshal(wire.Running{Version: version.Current()})
		q.Answer(b, err)
	case q.Name == "tools":
		t.spawn(func() { t.answerTools(q) })
	case q.Name == "tools-objects":
		t.spawn(func() { t.answerObjects(q) })
	case q.Name == "tools-hash":
		t.spawn(func() { t.answerHash(q) })
	case q.Name == "trust-stage":
		t.spawn(func() { t.answerStage(q) })
	case q.Name == "trust":
		t.spawn(func() { q.Answer(t.publisher.settled().Marshal(), nil) })
	case q.Name == "resolve":
		t.spawn(func() { t.answerResolve(q) })
	case q.Name == "upgrade-check":
		t.spawn(func() { t.answerCheck(q) })
	default:
		q.Answer(nil, fmt.Errorf("there is no query %q; this state server runs %s", q.Name, version.Current()))
	}
}

func (t *term) answerJSON(q bus.Query, look func(*projections.State) (any, error), st *projections.State) {
	v, err := look(st)
	if raw, ok := v.(json.RawMessage); ok && err == nil {
		t.spawn(func() { q.Answer(raw, nil) })
		return
	}
	if err != nil {
		q.Answer(nil, err)
		return
	}
	b, err := json.Marshal(v)
	q.Answer(b, err)
}

// statusJSON is the status at the state's position. It is made once for each position,
// however many ask.
func (t *term) statusJSON(st *projections.State) (json.RawMessage, error) {
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
	json json.RawMessage
}

func environmentOf(st *projections.State) wire.Environment {
	e := wire.Environment{
		UUID: st.UUID, Name: st.Name, AgentVersion: st.AgentVersion, Settings: map[string]string{},
		Set: sortedKeys(st.Settings), Server: version.Current(),
	}
	for _, setting := range settings.All {
		e.Settings[setting.Key] = settings.Value(st.Settings, setting.Key)
	}
	return e
}

// answerTools looks into the sources as well, which takes as long as they take, unless
// it is asked what is stored.
func (t *term) answerTools(q bus.Query) {
	var now []listed
	if string(q.Body) != wire.OnlyStored {
		now = t.listSources()
	}
	var c wire.Catalogue
	err := t.writer.look(t.ctx, func(st *projections.State) { c = catalogueOf(st, t.tools.said()) })
	if err != nil {
		q.Answer(nil, err)
		return
	}
	addSources(&c, now)
	c.Problems = append(c.Problems, t.tools.problems()...)
	b, err := json.Marshal(c)
	q.Answer(b, err)
}

// answerCheck judges an upgrade without recording anything.
func (t *term) answerCheck(q bus.Query) {
	var ask events.AskUpgrade
	if err := json.Unmarshal(q.Body, &ask); err != nil {
		q.Answer(nil, fmt.Errorf("read the question: %w", err))
		return
	}
	t.lookFor(ask.Artefacts)
	c := wire.Check{Reasons: []events.Reason{}}
	err := t.writer.look(t.ctx, func(st *projections.State) {
		c.Reasons = append(c.Reasons, upgradeBlockers(st, &ask, t.knowledge(st))...)
	})
	if err != nil {
		q.Answer(nil, err)
		return
	}
	b, err := json.Marshal(c)
	q.Answer(b, err)
}

// answerCredentials signs the operator in whose key the question names: to read only, if
// that is all he may. What it answers is no secret: it is of use with his key alone.
func (t *term) answerCredentials(q bus.Query) {
	var o events.Operator
	var known bool
	err := t.writer.look(t.ctx, func(st *projections.State) { o, known = st.Trust.Roster.Operator(string(q.Body)) })
	if err == nil && !known {
		err = fmt.Errorf("no operator has the key %q", clip(string(q.Body), 64))
	}
	if err != nil {
		q.Answer(nil, err)
		return
	}
	sign := t.cfg.Trust.ReaderJWT
	if slices.ContainsFunc(o.Grants, func(g events.Grant) bool { return g.Role != events.RoleRead }) {
		sign = t.cfg.Trust.OperatorJWT
	}
	token, err := sign(o.Name, o.Key)
	q.Answer([]byte(token), err)
}
