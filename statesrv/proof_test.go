package statesrv_test

import (
	"testing"

	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	merkle "github.com/jujube-project/jujube/events/tree"
)

// proved reads the first order of an upgrade and checks what it proves, as its machine
// does that has seen nothing yet. It gives what the machine remembers from then on.
func (p *place) proved(upgrade string) merkle.Checkpoint {
	p.Helper()
	rec := p.wait(0, "an order", func(r events.Record) bool { return r.Kind == "order.issued/1" && r.Correlation == upgrade })
	order := decode[*events.OrderIssued](p, rec)
	v, err := merkle.NewVerifiers(bustest.Environment, []string{p.key.Public()})
	if err != nil {
		p.Fatal(err)
	}
	c, refusal := events.CheckLogged(v, bustest.Environment, *order, merkle.Checkpoint{})
	if refusal != nil {
		p.Fatalf("the order's proof: %v", refusal)
	}
	return c
}

// An order that follows another proves that its log goes on from the other's.
func TestOrdersProveThatTheLogGoesOn(t *testing.T) {
	p := newPlace(t)
	p.start()
	p.zero()
	next, data := packed(t, "1.25.1", "new jujud")
	if err := p.upload(next, data); err != nil {
		t.Fatal(err)
	}
	id, _ := p.ask(upgrade(next))
	first := p.proved(id)
	p.wait(0, "the end", func(r events.Record) bool { return r.Kind == "upgrade.completed/1" && r.Correlation == id })
	again, data := packed(t, "1.25.2", "newer jujud")
	if err := p.upload(again, data); err != nil {
		t.Fatal(err)
	}
	id, _ = p.ask(upgrade(again))
	rec := p.wait(0, "an order", func(r events.Record) bool { return r.Kind == "order.issued/1" && r.Correlation == id })
	order := decode[*events.OrderIssued](p, rec)
	v, err := merkle.NewVerifiers(bustest.Environment, []string{p.key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	second, refusal := events.CheckLogged(v, bustest.Environment, *order, first)
	if refusal != nil || second.Size <= first.Size {
		t.Fatalf("from %v to %v: %v", first.Head, second.Head, refusal)
	}
	fork := merkle.Checkpoint{Head: merkle.Head{Size: first.Size, Root: second.Root}}
	if _, refusal := events.CheckLogged(v, bustest.Environment, *order, fork); refusal == nil || refusal.Code != merkle.CodeFork {
		t.Errorf("BI-54: of another past the machine says %v", refusal)
	}
}
