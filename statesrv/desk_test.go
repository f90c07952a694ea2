package statesrv

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/statesrv/logtree"
)

// Somebody who asks for as much as he can takes AnswersOfOne answers at once, has QuestionsOfOne waiting, and is
// refused more; another one is answered meanwhile. All together have bounds, too.
func TestB17WhoAsksMuchWaitsForHimself(t *testing.T) {
	var all sync.WaitGroup
	d := newDesk(func(f func()) { all.Go(f) })
	over := make(chan struct{})
	begun := make(chan string, 1000)
	ask := func(who string) error { return d.ask(who, func() { begun <- who; <-over }) }
	for range limits.AnswersOfOne + limits.QuestionsOfOne {
		if err := ask("rita"); err != nil {
			t.Fatalf("at the limit: %v", err)
		}
	}
	if err := ask("rita"); !errors.Is(err, bus.ErrTooOften) {
		t.Fatalf("past the limit: %v", err)
	}
	for range limits.AnswersOfOne {
		<-begun
	}
	if err := ask("honest"); err != nil {
		t.Fatal(err)
	}
	if who := <-begun; who != "honest" {
		t.Fatalf("the next answer is for %s", who)
	}
	others := 0
	for err := error(nil); err == nil; others++ {
		err = ask(fmt.Sprint("other", others))
	}
	if at, all := limits.AnswersAtOnce-limits.AnswersOfOne-1, limits.Questions-limits.QuestionsOfOne; others-1 != at+all {
		t.Errorf("%d others had a place, %d at once and %d waiting were expected", others-1, at, all)
	}
	close(over)
	all.Wait()
	if d.busy+d.queued+len(d.turns)+len(d.waiting)+len(d.running) != 0 {
		t.Errorf("it ends with %+v", d)
	}
}

// An answer has no more than LeavesAtOnce hashes, however long the log is.
func TestB17LeavesAreGivenInParts(t *testing.T) {
	tree := logtree.New(bustest.Environment, testLogKey(t), slog.New(slog.DiscardHandler))
	s := &queries{tree: tree}
	add := func(n int) {
		for range n {
			rec, err := events.New(events.Envelope{ID: "x", Time: time.Unix(1, 0), Actor: "a"}, &events.SettingChanged{Key: "k", Value: "v"})
			if err != nil {
				t.Fatal(err)
			}
			tree.Append([]events.Record{rec})
		}
		if err := tree.Sign(time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	add(limits.LeavesAtOnce)
	whole, err := s.answerLeaves(t.Context(), wire.Nothing{})
	if err != nil || len(whole) != limits.LeavesAtOnce {
		t.Fatalf("at the limit, %d leaves, %v", len(whole), err)
	}
	add(1)
	if leaves, err := s.answerLeaves(t.Context(), wire.Nothing{}); err == nil || !strings.Contains(err.Error(), "log-leaves-from") {
		t.Fatalf("past the limit, a client of before is given %d leaves, %v", len(leaves), err)
	}
	first, err := s.answerLeavesFrom(t.Context(), 0)
	if err != nil || !slices.Equal(first, whole) {
		t.Fatalf("the first part has %d leaves, %v", len(first), err)
	}
	for from, want := range map[uint64]int{limits.LeavesAtOnce: 1, limits.LeavesAtOnce + 1: 0, 1 << 60: 0} {
		if rest, err := s.answerLeavesFrom(t.Context(), wire.Seen(from)); err != nil || len(rest) != want {
			t.Errorf("from %d on there are %d leaves, %v", from, len(rest), err)
		}
	}
}
