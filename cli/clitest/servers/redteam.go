package servers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/statesrv"
)

// redteam DIR MACHINE ATTACK [WHAT] plays somebody who has copied a state server's whole disk to DIR,
// and so writes into the log what he likes, with every key that is there. It appends one order to
// MACHINE, made by the attack from the genuine orders in the log, and prints how the machine answers:
// the code of its refusal, or what it did.
func redTeam(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: redteam DIR MACHINE ATTACK [FILE]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := breakIn(ctx, ts.MkAbs(args[0]), args[1])
	ts.Check(err)
	defer r.conn.Close()
	attack, ok := attacks[args[2]]
	if !ok {
		ts.Fatalf("no attack %q", args[2])
	}
	what := strings.Join(args[3:], " ")
	p, err := attack(r, what)
	ts.Check(err)
	code, err := r.strike(ctx, p)
	ts.Check(err)
	_, err = fmt.Fprintln(ts.Stdout(), args[2]+":", code)
	ts.Check(err)
}

// intruder is the connection and the key of somebody who has a state server's keys.
type intruder struct {
	conn    *bus.Conn
	key     *bus.Identity
	machine string
	orders  []events.OrderIssued // all in the log, oldest first

	published   events.TrustPublished // the newest in the log
	environment string
}

func breakIn(ctx context.Context, dir, machine string) (*intruder, error) {
	conf, err := agent.LoadConf(dir)
	if err != nil {
		return nil, err
	}
	conf.DataDir = dir
	creds, err := bus.LoadCredentials(statesrv.CredentialsFile(dir))
	if err != nil {
		return nil, err
	}
	r := &intruder{machine: machine, environment: conf.Environment}
	if r.key, err = creds.Identity(); err != nil {
		return nil, err
	}
	r.conn, err = bus.Connect(ctx, bus.ConnConfig{
		URLs: conf.APIAddresses, Authorities: conf.AuthoritiesFile(), Credentials: creds, Name: "mallory",
	})
	if err != nil {
		return nil, err
	}
	last, err := r.conn.Log().Last(ctx)
	if err != nil {
		return nil, err
	}
	for rec, err := range r.conn.Log().Read(ctx, 1, last) {
		if err != nil {
			return nil, err
		}
		if p, err := events.Decode(rec); err == nil {
			switch p := p.(type) {
			case *events.OrderIssued:
				r.orders = append(r.orders, *p)
			case *events.TrustPublished:
				r.published = *p
			}
		}
	}
	return r, nil
}

// newest finds, among the genuine orders of a machine, the one to the highest version.
func (r *intruder) newest(machine string) (newest events.OrderIssued, err error) {
	for _, o := range r.orders {
		if o.Machine == machine && newest.Tools.Version.Compare(o.Tools.Version.Number) < 0 {
			newest = o
		}
	}
	if newest.Order == "" {
		err = errors.New("the log has no order to machine " + machine)
	}
	return newest, err
}

// again makes a new order of an old one: with a new id, and not expired.
func again(o events.OrderIssued) *events.OrderIssued {
	o.Order, o.Expires = uuid.Must(uuid.NewV7()).String(), time.Now().Add(time.Hour)
	return &o
}

// attacks are what an intruder may try, by name. Each makes the payload to append; what is the rest
// of the command.
var attacks = map[string]func(r *intruder, what string) (events.Payload, error){
	// a genuine order, once more
	"replay": func(r *intruder, _ string) (events.Payload, error) {
		o, err := r.newest(r.machine)
		return again(o), err
	},
	// the machine's first order, long done
	"old": func(r *intruder, running string) (events.Payload, error) {
		for _, o := range r.orders {
			if o.Machine == r.machine {
				next := again(o)
				return next, next.From.UnmarshalText([]byte(running))
			}
		}
		return nil, errors.New("no old order")
	},
	// the newest request, with the archive of another one
	"otherversion": func(r *intruder, _ string) (events.Payload, error) {
		o, err := r.newest(r.machine)
		o.Tools = r.orders[0].Tools
		return again(o), err
	},
	// the newest request, with bytes that nobody signed
	"otherbytes": func(r *intruder, _ string) (events.Payload, error) {
		o, err := r.newest(r.machine)
		o.Tools.SHA256 = strings.Repeat("e", 64)
		return again(o), err
	},
	// BI-53: an order whose request was never shown to lie in the log
	"noproof": func(r *intruder, _ string) (events.Payload, error) {
		o, err := r.newest(r.machine)
		o.Log = tree.Proof{}
		return again(o), err
	},
	// what was asked for another machine
	"othermachine": func(r *intruder, from string) (events.Payload, error) {
		o, err := r.newest(from)
		o.Machine = r.machine
		return again(o), err
	},
	// a request of the state server's own, with the operator's key named in it
	"forgedsignature": func(r *intruder, _ string) (events.Payload, error) {
		return r.forge(func(s *events.Signed) error {
			signature, err := r.key.Sign(events.PAE(events.RequestType, s.Statement))
			s.Signature = signature
			return err
		})
	},
	// the same, signed honestly as the state server
	"forgedoperator": func(r *intruder, _ string) (events.Payload, error) {
		return r.forge(func(s *events.Signed) error {
			signature, err := r.key.Sign(events.PAE(events.RequestType, s.Statement))
			s.Key, s.Signature = r.key.Public(), signature
			return err
		})
	},
	"unit": (*intruder).unit,
	// B05: an operator whom nobody signed in, and nobody else
	"roster": func(r *intruder, name string) (events.Payload, error) {
		p := r.published
		p.Roster.Operators = []events.Operator{{Name: name, Key: r.key.Public(), Grants: []events.Grant{{Role: events.RoleAdmin}}}}
		return &p, nil
	},
	// B16: a setting that nobody asked for
	"setting": func(_ *intruder, what string) (events.Payload, error) {
		key, value, _ := strings.Cut(what, " ")
		return &events.SettingChanged{Key: key, Value: value}, nil
	},
	// a command that nobody asked for
	"command": func(r *intruder, file string) (events.Payload, error) {
		o, err := r.newest(r.machine)
		return &events.UnitsAssigned{Machine: r.machine, Units: []events.UnitSpec{{
			Unit: "evil/0", Machine: r.machine, Command: []string{"/bin/touch", file}, Restart: events.RestartNever, Warrant: o.Warrant,
		}}}, err
	},
}

// unit is a unit of a service that nobody deployed: its command as the state server likes
// it, and a genuine request that is for something else.
func (r *intruder) unit(what string) (events.Payload, error) {
	name, file, _ := strings.Cut(what, " ")
	o, err := r.newest(r.machine)
	return &events.UnitAdded{UnitSpec: events.UnitSpec{
		Unit: name, Machine: r.machine, Command: []string{"/bin/touch", file}, Restart: events.RestartNever, Warrant: o.Warrant,
	}}, err
}

// forge takes a genuine request, alters what it asks, and signs it anew.
func (r *intruder) forge(sign func(*events.Signed) error) (events.Payload, error) {
	o, err := r.newest(r.machine)
	if err != nil {
		return nil, err
	}
	var s events.Signed
	var ask events.Ask
	if err := errors.Join(json.Unmarshal(o.Warrant.Request, &s), json.Unmarshal(s.Statement, &ask)); err != nil {
		return nil, err
	}
	ask.ID = uuid.Must(uuid.NewV7()).String()
	if s.Statement, err = json.Marshal(ask); err != nil {
		return nil, err
	}
	if err := sign(&s); err != nil {
		return nil, err
	}
	next := again(o)
	next.Warrant.Request, err = json.Marshal(s)
	return next, err
}

// strike appends the order and waits for the machine's answer. If the real state server appends
// something first, strike tries again after that.
func (r *intruder) strike(ctx context.Context, p events.Payload) (string, error) {
	for {
		last, err := r.conn.Log().Last(ctx)
		if err != nil {
			return "", err
		}
		rec, err := events.New(events.Envelope{ID: uuid.Must(uuid.NewV7()).String(), Time: time.Now(), Actor: "state-server-0"}, p)
		if err == nil {
			rec.Seq = last + 1
			rec, err = rec.Placed(r.environment).Signed(r.key)
		}
		if err != nil {
			return "", err
		}
		if last, err = r.conn.Log().Append(ctx, last, rec); !errors.Is(err, events.ErrConflict) {
			if err != nil {
				return "", err
			}
			if !events.IsOrder(rec.Entity) {
				return "written", nil // no machine answers
			}
			return r.answer(ctx, last, p)
		}
	}
}

// answer waits for the machine's report on the order at seq.
func (r *intruder) answer(ctx context.Context, seq uint64, p events.Payload) (string, error) {
	order, _ := p.(*events.OrderIssued)
	var heard []string
	for rec, err := range r.conn.Log().Follow(ctx, seq+1) {
		if err != nil {
			return "", fmt.Errorf("no answer to %d, only %q: %w", seq, heard, err)
		}
		heard = append(heard, rec.Kind+" "+string(rec.Data))
		said, err := events.Decode(rec)
		if late, ok := said.(*events.ReportLate); ok && err == nil { // the real state server took the order back
			rec.Kind, rec.Data = late.Report, late.Data
			said, err = events.Decode(rec)
		}
		if err != nil {
			continue
		}
		switch said := said.(type) {
		case *events.OrderRefused:
			if order == nil {
				return said.Code, nil
			}
		case *events.AgentUpgradeFailed:
			if order != nil && said.Order == order.Order {
				return said.Failure.Code, nil
			}
		case *events.AgentUpgraded:
			if order != nil && said.Order == order.Order {
				return "done, and runs " + said.Version.String(), nil
			}
		}
	}
	return "", ctx.Err()
}
