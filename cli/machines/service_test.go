package machines

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
)

const environment = "6a1f0f5e-0000-4000-8000-000000000001"

// published is signed metadata with these operators.
type published struct{ operators []events.Operator }

func (p published) Roster() events.Roster      { return events.Roster{Operators: p.operators} }
func (published) Floor() version.Number        { return version.Number{} }
func (published) Revoked() events.Revoked      { return events.Revoked{} }
func (published) Tools(want tools.Tools) error { return nil }

func operator(name, role, env string) events.Operator {
	g := events.Grant{Role: role}
	if env != "" {
		g.Labels = map[string]string{"env": env}
	}
	return events.Operator{Name: name, Key: testkey.Of(name).Public(), Grants: []events.Grant{g}}
}

// signed is a deployment of web as somebody signed it, some hours after the beginning.
func signed(t *testing.T, by string, hours int, command string, change func(*events.Ask)) events.UnitSpec {
	t.Helper()
	ask := events.Ask{
		ID: "r-" + command, Environment: environment, Action: events.ActionDeploy, Created: began.Add(time.Duration(hours) * time.Hour),
		Expires: began.Add(24 * time.Hour),
		Deploy:  &events.AskDeploy{Service: "web", Machine: "1", Command: []string{command}, Restart: events.RestartNever},
	}
	if change != nil {
		change(&ask)
	}
	statement, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	s := events.Signed{Statement: statement, Key: testkey.Of(by).Public()}
	if s.Signature, err = testkey.Of(by).Sign(events.PAE(events.RequestType, statement)); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return events.UnitSpec{Machine: "1", Command: []string{command}, Restart: events.RestartNever, Warrant: events.Warrant{Request: b}}
}

// B02: of what the log says of a service, the newest deployment counts that an operator
// signed who may deploy wherever alice may.
func TestB02AddUnitSignsOnlyWhatAnOperatorSigned(t *testing.T) {
	altered := func(u events.UnitSpec) events.UnitSpec { u.Command = []string{"evil"}; return u }
	other := func(change func(*events.Ask)) events.UnitSpec { return signed(t, "alice", 9, "evil", change) }
	for name, c := range map[string]struct {
		units []events.UnitSpec
		want  string // the command, or the code of the refusal
	}{
		"nothing is known":           {nil, "nothing"},
		"her own":                    {[]events.UnitSpec{signed(t, "alice", 1, "sleep", nil)}, "sleep"},
		"the newest":                 {[]events.UnitSpec{signed(t, "alice", 2, "new", nil), signed(t, "alice", 1, "old", nil)}, "new"},
		"of an equal":                {[]events.UnitSpec{signed(t, "bob", 1, "sleep", nil)}, "sleep"},
		"what the record says of it": {[]events.UnitSpec{altered(signed(t, "alice", 1, "sleep", nil))}, "sleep"},
		"unsigned":                   {[]events.UnitSpec{{Machine: "1", Command: []string{"evil"}, Restart: events.RestartNever}}, events.CodeRequestSignature},
		"unsigned, beside a genuine one": {[]events.UnitSpec{
			signed(t, "alice", 1, "sleep", nil),
			{Machine: "1", Command: []string{"evil"}, Restart: events.RestartNever},
		}, "sleep"},
		"of the state server":    {[]events.UnitSpec{signed(t, "mallory", 1, "evil", nil)}, events.CodeRequestOperator},
		"of a narrower scope":    {[]events.UnitSpec{signed(t, "dave", 1, "evil", nil)}, events.CodeRequestScope},
		"of who only reads":      {[]events.UnitSpec{signed(t, "rita", 1, "evil", nil)}, events.CodeRequestScope},
		"of another environment": {[]events.UnitSpec{other(func(a *events.Ask) { a.Environment = "another" })}, events.CodeOtherEnvironment},
		"of another service":     {[]events.UnitSpec{other(func(a *events.Ask) { a.Deploy.Service = "db" })}, events.CodeNotAsked},
		"as add-unit signed it": {[]events.UnitSpec{other(func(a *events.Ask) {
			a.Action, a.AddUnit, a.Deploy = events.ActionAddUnit, &events.AskAddUnit{Service: "web", Command: a.Deploy.Command}, nil
		})}, events.CodeNotAsked},
	} {
		t.Run(name, func(t *testing.T) {
			if got := found(t, c.units); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// found is what alice finds in a log with those units of web.
func found(t *testing.T, units []events.UnitSpec) string {
	t.Helper()
	log := memlog.New()
	for i, u := range units {
		u.Unit = "web/" + string(rune('0'+i))
		rec, err := events.New(events.Envelope{ID: "e", Time: began, Actor: "state-server-0"}, &events.UnitAdded{UnitSpec: u})
		if err == nil {
			_, err = log.Append(t.Context(), uint64(i), rec)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	alice := operator("alice", events.RoleOperate, "")
	roster := published{[]events.Operator{
		alice, operator("bob", events.RoleAdmin, ""), operator("dave", events.RoleOperate, "dev"), operator("rita", events.RoleRead, ""),
	}}
	v := verifier{warrant.Reader{Environment: environment, Trust: roster, Now: began}, alice}
	d, err := v.find(t.Context(), log, "web")
	var refusal *events.Reason
	switch {
	case errors.As(err, &refusal):
		return refusal.Code
	case err != nil:
		t.Fatal(err)
	case d == nil:
		return "nothing"
	}
	return d.Command[0]
}

// What a state server says of a machine's key counts for nothing: values are sealed for the key
// that the token of an operator's invitation has signed.
func TestAMachinesKeyIsProved(t *testing.T) {
	var keys [3]*bus.Identity
	for i := range keys {
		var err error
		if keys[i], err = bus.NewIdentity(); err != nil {
			t.Fatal(err)
		}
	}
	token, host, mallory := keys[0], keys[1], keys[2]
	invited := func(by string) events.Payload {
		unit := signed(t, by, 1, "x", func(a *events.Ask) {
			a.Action, a.Deploy, a.AddMachine = events.ActionAddMachine, nil, &events.AskAddMachine{TokenKeys: []string{token.Public()}}
		})
		return &events.RequestReceived{Request: events.Request{
			ID: "r-x", Action: events.ActionAddMachine, Operator: by, Created: began, Signed: unit.Warrant.Request,
		}}
	}
	enrolled := func(byToken, byKey *bus.Identity, change func(*wire.EnrolRequest)) events.Payload {
		r := wire.EnrolRequest{Environment: environment, Machine: "1", TokenKey: byToken.Public(), Key: byKey.Public()}
		if change != nil {
			change(&r)
		}
		sealed, err := wire.SealEnrolment(r, byToken, byKey)
		if err != nil {
			t.Fatal(err)
		}
		v := version.Binary{Number: version.Current(), Series: "trusty", Arch: "amd64"}
		return &events.MachineEnrolled{Machine: "1", Key: r.Key, Version: v, Asked: sealed}
	}
	type request = wire.EnrolRequest
	bob := invited("bob")
	bare := enrolled(token, host, nil).(*events.MachineEnrolled)
	bare.Asked = nil
	for name, c := range map[string]struct {
		log   []events.Payload
		proof bool
	}{
		"an admin's invitation":              {[]events.Payload{bob, enrolled(token, host, nil)}, true},
		"no invitation":                      {[]events.Payload{enrolled(token, host, nil)}, false},
		"an invitation of mallory's":         {[]events.Payload{invited("mallory"), enrolled(token, host, nil)}, false},
		"of a narrower scope":                {[]events.Payload{invited("dan"), enrolled(token, host, nil)}, false},
		"of who may not invite":              {[]events.Payload{invited("alice"), enrolled(token, host, nil)}, false},
		"written by a state server":          {[]events.Payload{bob, bare}, false},
		"with a token of the state server":   {[]events.Payload{bob, enrolled(mallory, host, nil)}, false},
		"with the token's name, not its key": {[]events.Payload{bob, enrolled(mallory, host, func(r *request) { r.TokenKey = token.Public() })}, false},
		"with another host's signature":      {[]events.Payload{bob, enrolled(token, mallory, func(r *request) { r.Key = host.Public() })}, false},
		"as another machine":                 {[]events.Payload{bob, enrolled(token, host, func(r *request) { r.Machine = "2" })}, false},
		"of another environment":             {[]events.Payload{bob, enrolled(token, host, func(r *request) { r.Environment = "another" })}, false},
	} {
		log := memlog.New()
		for i, p := range c.log {
			rec, err := events.New(events.Envelope{ID: "e", Time: began, Actor: "state-server-0"}, p)
			if err == nil {
				_, err = log.Append(t.Context(), uint64(i), rec)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		alice := operator("alice", events.RoleOperate, "")
		roster := published{[]events.Operator{alice, operator("bob", events.RoleAdmin, ""), operator("dan", events.RoleAdmin, "dev")}}
		v := verifier{warrant.Reader{Environment: environment, Trust: roster, Now: began}, alice}
		key, err := v.provedKey(t.Context(), log, "1")
		if c.proof && (err != nil || key != host.Public()) || !c.proof && (err == nil || key != "") {
			t.Errorf("%s: %q, %v", name, key, err)
		}
	}
}

// A unit more has the names of its service in its environment, each with a value.
func TestOneUnitMoreHasAllValues(t *testing.T) {
	sealed := &deployment{AskDeploy: events.AskDeploy{Service: "web", Secrets: &events.Secrets{Names: []string{"A", "B"}}}}
	clear := &deployment{AskDeploy: events.AskDeploy{Service: "web", Env: map[string]string{"A": "1", "B": "2"}}}
	for name, c := range map[string]struct {
		d     *deployment
		typed map[string]string
		want  map[string]string // nil: refused
	}{
		"all typed":           {sealed, map[string]string{"A": "x", "B": "y"}, map[string]string{"A": "x", "B": "y"}},
		"one is missing":      {sealed, map[string]string{"A": "x"}, nil},
		"one too many":        {sealed, map[string]string{"A": "x", "B": "y", "C": "z"}, nil},
		"of before":           {clear, nil, map[string]string{"A": "1", "B": "2"}},
		"of before, one anew": {clear, map[string]string{"B": "y"}, map[string]string{"A": "1", "B": "y"}},
	} {
		if got, err := again(c.d, c.typed); (err == nil) != (c.want != nil) || c.want != nil && !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if clear.Env["B"] != "2" {
		t.Error("the record was changed")
	}
}

// What is signed is shown: in full, or as counts and a digest; secrets are not.
func TestADeploymentIsShownInWords(t *testing.T) {
	d := deployment{events.AskDeploy{
		Service: "web", Command: []string{"/bin/echo", "\x1b[31m"}, Restart: events.RestartAlways, Env: map[string]string{"SECRET": "hunter2"},
	}, events.Operator{Name: "bob"}, "r1", began}
	if got, want := d.String(),
		`web is, as bob signed it on 2015-06-01 12:00:00 (request r1): ["/bin/echo" "\x1b[31m"], as root, restart always, environment [SECRET]`; got != want {
		t.Errorf("it says\n%s, want\n%s", got, want)
	}
	d.Command = []string{"/bin/echo", strings.Repeat("x", 5000)}
	if got := d.String(); len(got) > maxShown || !strings.Contains(got, "(2 words, 5016 bytes, SHA-256 of this text ") {
		t.Errorf("it says\n%s", got)
	}
}
