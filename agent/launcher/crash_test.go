package launcher_test

import (
	"errors"
	"flag"
	"fmt"
	"testing"

	"github.com/jujube-project/jujube/agent/install/crashfs"
)

// cuts is 1 in an ordinary run. make crashpoints plays more, which takes long.
var cuts = flag.Int("cuts", 1, "power cuts in a row that the crash tests play at every point")

const allChapters = 5

// story is the life of a machine: it is installed, upgraded twice, downgraded, and given a version that
// never proves itself. each is called when a chapter has come to its end.
func (h *cutHost) story(chapters int, each func() error) error {
	for _, c := range [][2]string{{}, {v1, v2}, {v2, v3}, {v3, v2}, {v2, v4}}[:chapters] {
		if c[0] != "" {
			h.give(c[0], c[1])
		}
		if err := h.live(); err != nil {
			return fmt.Errorf("from %s to %s: %w", c[0], c[1], err)
		}
		if err := each(); err != nil {
			return fmt.Errorf("from %s to %s: %w", c[0], c[1], err)
		}
	}
	return nil
}

// explorer cuts the power wherever it can, and lets the machine start again.
type explorer struct {
	most     int // power cuts, one after the other
	chapters int // of the story
	kills    int // of the processes alone, before the first power cut
	enough   int // bricks to stop at; 0: none
	seen     map[[32]byte]bool
	queue    []*cutHost
	points   int // calls after which the power was cut
	states   int // that a disk was in then
	starts   int // starts from states that differ
	bricks   []error
}

// watch cuts the power after every call on the host's disk.
func (x *explorer) watch(h *cutHost) {
	h.disk.After = func(c crashfs.Call) { x.cut(h, c) }
}

// cut tries every state that a power cut now leaves, or a kill.
func (x *explorer) cut(h *cutHost, c crashfs.Call) {
	if h.cuts >= x.most || x.enough > 0 && len(x.bricks) >= x.enough {
		return
	}
	x.points++
	if !x.isNew(h) {
		return
	}
	if h.cuts == 0 && h.kills < x.kills {
		killed := h.on(h.disk)
		killed.kills++
		x.add(killed, c)
	}
	for disk := range h.disk.States() {
		x.states++
		after := h.on(disk)
		after.cuts++
		x.add(after, c)
	}
}

// isNew says whether no host in the same state was seen before.
func (x *explorer) isNew(h *cutHost) bool {
	key := h.key()
	seen := x.seen[key]
	x.seen[key] = true
	return !seen
}

// add looks at a state, and queues it if it is new.
func (x *explorer) add(h *cutHost, c crashfs.Call) {
	if !x.isNew(h) {
		return
	}
	x.starts++
	if err := h.damage(); err != nil {
		x.brick(fmt.Errorf("kill %d, power cut %d after call %d, %s %s, in the order to %v: %w\n%s",
			h.kills, h.cuts, c.N, c.Op, c.Path, h.order.Order.Tools.Version, err, h.disk.Dump()))
		return
	}
	x.queue = append(x.queue, h.on(h.disk.Clone()))
}

func (x *explorer) brick(err error) { x.bricks = append(x.bricks, err) }

// goOn starts every machine that was cut off, until none is waiting for its start.
func (x *explorer) goOn() {
	for len(x.queue) > 0 && (x.enough == 0 || len(x.bricks) < x.enough) {
		h := x.queue[0]
		x.queue = x.queue[1:]
		before := h.disk.Dump()
		x.watch(h)
		err := h.live()
		if err == nil {
			err = h.settled()
		}
		if err == nil {
			err = errors.Join(h.right(), h.endedOnce())
		}
		if err != nil {
			x.brick(fmt.Errorf("after %d kills and %d power cuts, in the order to %v: %w\nfrom:\n%s\nto:\n%s",
				h.kills, h.cuts, h.order.Order.Tools.Version, err, before, h.disk.Dump()))
		}
	}
}

// right says whether the machine runs what it should: the ordered version, unless that
// never proves itself or the power was cut in each of its starts.
func (h *cutHost) right() error {
	current, err := h.layout().Current()
	if err != nil {
		return err
	}
	want := v1
	if h.order.Seq > 0 {
		want = h.order.Order.Tools.Version.String()
	}
	if want == v4 {
		want = v2
	}
	if current != want && h.cuts < 3 {
		return fmt.Errorf("%s runs; want %s", current, want)
	}
	return nil
}

// explore plays the story with x's faults. before may change what calls do; nil: nothing.
func (x *explorer) explore(t *testing.T, m crashfs.Model, before func(crashfs.Call) (bool, error)) {
	t.Helper()
	x.seen = map[[32]byte]bool{}
	h := newHost(t, m)
	h.disk.Before = before
	x.watch(h)
	check(t, h.story(x.chapters, h.settled))
	x.goOn()
}

// report fails the test for what was found, and says how much was tried.
func (x *explorer) report(t *testing.T) {
	t.Helper()
	t.Logf("up to %d kills and then %d power cuts in a row: %d crash points, %d states of the disk, %d different ones to start from: %d bricks",
		x.kills, x.most, x.points, x.states, x.starts, len(x.bricks))
	for _, err := range x.bricks[:min(len(x.bricks), 3)] {
		t.Error(err)
	}
	if x.points < 100 || x.starts < 100 {
		t.Errorf("the story has only %d crash points", x.points)
	}
}

var models = []crashfs.Model{crashfs.Ext4, crashfs.Minimal}

// Wherever the power is cut, the machine starts a complete, verified version, and goes on to the
// version that was ordered. The same holds when the power is cut again during that start.
func TestEveryCrashPoint(t *testing.T) {
	for _, m := range models {
		t.Run(m.String(), func(t *testing.T) {
			x := &explorer{chapters: allChapters, most: *cuts}
			x.explore(t, m, nil)
			x.report(t)
		})
	}
}

// A process that is killed leaves changes that are not durable. The next process does not know that.
func TestEveryKillThenEveryPowerCut(t *testing.T) {
	for _, m := range models {
		t.Run(m.String(), func(t *testing.T) {
			x := &explorer{chapters: 2, kills: 1, most: *cuts}
			if *cuts > 1 {
				x.chapters, x.most = allChapters, 1
			}
			x.explore(t, m, nil)
			x.report(t)
		})
	}
}

// The tests above can fail: when syncs are left out, they find machines that cannot start.
func TestWithoutSyncsThereAreBricks(t *testing.T) {
	for _, m := range models {
		for _, op := range []string{"sync", "sync dir"} {
			x := &explorer{chapters: allChapters, most: 1, enough: 20}
			x.explore(t, m, func(c crashfs.Call) (skip bool, err error) { return c.Op == op, nil })
			t.Logf("%v, without %q: %d bricks in the first %d states", m, op, len(x.bricks), x.states)
			if len(x.bricks) == 0 && (m == crashfs.Minimal || op == "sync") {
				t.Errorf("%v: without %q nothing is found", m, op)
			}
		}
	}
}
